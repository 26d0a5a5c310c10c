// Single-threaded epoll HTTP/1.1 load generator for LLM gateways (non-stream and SSE), closed- or open-loop.
// ./loadgen -p PORT -P /v1/chat/completions -f body.json -H "Authorization: Bearer x" -c CONC -d SECS [-w WARM_SECS]
//           [-r RATE (open loop; latency counted from the scheduled time)] [-s (SSE)] [-n MAXREQ] [-1 (one request per slot)]
//           [-t MS (a client's patience, from the scheduled time: then it leaves)]
//           [-G (GET, without a body)] [-m ("###.###.###" in the head becomes another network in each request)]
// Prints one JSON line. SSE: ttft = schedule/send -> first stamped chunk; transit = now - stamp "~t<ns>~" (mock -> client).
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <unistd.h>
#include <errno.h>
#include <time.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
typedef struct {int fd,state,inlen,incap,hdr,status,chunked,cl,bodygot,events,first,closehdr,retry,cstate;long csz;char*in;char line[8192];int ll;uint64_t t0,tlast;int sent;} conn;
// state 0 idle,1 connecting,2 sending/waiting
static int ep,port=9100,conc=1,stream=0,oneshot=0;static long maxreq=10000000;static double dur=5,warm=0,rate=0;static uint64_t patience=0;static char*path="/v1/chat/completions";static char*req,*mark;static int reql;
static uint64_t now(void){struct timespec t;clock_gettime(CLOCK_MONOTONIC,&t);return t.tv_sec*1000000000ull+t.tv_nsec;}
typedef struct{uint32_t*v;long n,cap;}vec;static vec lat,ttft,transit,gap,shed;
static void add(vec*v,uint64_t ns){if(v->n==v->cap){if(v->cap>=40000000)return;v->cap=v->cap?v->cap*2:65536;v->v=realloc(v->v,v->cap*4);}uint64_t u=ns/100;v->v[v->n++]=u>0xffffffffu?0xffffffffu:u;} // 0.1us units
static int cmp(const void*a,const void*b){uint32_t x=*(uint32_t*)a,y=*(uint32_t*)b;return x<y?-1:x>y;}
static uint64_t tstart,tmeas,tend;static long started,done,ok,errs,non200,chunks,allchunks,bytes,inflight,connerr,left,n503,n429,noretry;static int lasterr_status;static char errbody[300];
static conn*cs;static int*idle,nidle;static uint64_t*since;static uint64_t*q;static long qh,qt,qcap;
static void setev(conn*c,int ev,int op){struct epoll_event e={.events=ev,.data.ptr=c};epoll_ctl(ep,op,c->fd,&e);}
static void openc(conn*c){c->fd=socket(AF_INET,SOCK_STREAM|SOCK_NONBLOCK,0);int one=1;setsockopt(c->fd,IPPROTO_TCP,TCP_NODELAY,&one,sizeof one);
  struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(port),.sin_addr.s_addr=htonl(INADDR_LOOPBACK)};
  connect(c->fd,(void*)&a,sizeof a);setev(c,EPOLLOUT|EPOLLIN,EPOLL_CTL_ADD);}
static void sendreq(conn*c){while(c->sent<reql){ssize_t r=send(c->fd,req+c->sent,reql-c->sent,MSG_NOSIGNAL);if(r>0)c->sent+=r;else if(errno==EAGAIN||errno==ENOTCONN){setev(c,EPOLLIN|EPOLLOUT,EPOLL_CTL_MOD);return;}else return;}setev(c,EPOLLIN,EPOLL_CTL_MOD);}
static void begin(conn*c,uint64_t t){c->t0=since[c-cs]=t;c->state=2;c->inlen=0;c->hdr=0;c->status=0;c->chunked=0;c->cl=-1;c->bodygot=0;c->events=0;c->first=0;c->closehdr=0;c->retry=0;c->cstate=0;c->csz=0;c->ll=0;c->sent=0;c->tlast=0;started++;inflight++;if(mark){long n=started;char w[12];snprintf(w,12,"%03ld.%03ld.%03ld",100+n/24336%24,100+n/156%156,100+n%156);memcpy(mark,w,11);}if(c->fd<0)openc(c);else sendreq(c);}
static int final_phase;
static void next(conn*c){uint64_t t=now();c->state=0;since[c-cs]=0;if(t>=tend||started>=maxreq||oneshot)return;
  if(rate>0){while(qh<qt){uint64_t ts=q[qh++ % qcap];if(patience&&t-ts>patience){if(ts>=tmeas)left++;continue;}begin(c,ts);return;}idle[nidle++]=c-cs;}
  else begin(c,t);}
static void finish(conn*c,int good){uint64_t t=now();inflight--;done++;
  if(good&&c->status==200&&(!stream||c->events>0)){ok++;if(c->t0>=tmeas&&t<=tend+3600000000000ull)add(&lat,t-c->t0);}else{if(good){non200++;if(c->t0>=tmeas){n503+=c->status==503;n429+=c->status==429;noretry+=(c->status==503||c->status==429)&&!c->retry;add(&shed,t-c->t0);}}else errs++;lasterr_status=c->status;}
  if(!good||c->closehdr){close(c->fd);c->fd=-1;}
  next(c);}
static void evline(conn*c,uint64_t t){if(c->ll<6)return;char*p=memmem(c->line,c->ll,"~t",2);if(!p)return;uint64_t s=strtoull(p+2,NULL,10);c->events++;
  allchunks++;if(c->t0>=tmeas){chunks++;add(&transit,t>s?t-s:0);if(!c->first)add(&ttft,t-c->t0);else add(&gap,t-c->tlast);}c->first=1;c->tlast=t;}
static void body(conn*c,const char*b,int n,uint64_t t){bytes+=n;if(c->status!=200&&c->bodygot<290){int k=n<290-c->bodygot?n:290-c->bodygot;memcpy(errbody+c->bodygot,b,k);errbody[c->bodygot+k]=0;}c->bodygot+=n;if(!stream)return;
  for(int i=0;i<n;i++){if(b[i]=='\n'){evline(c,t);c->ll=0;}else if(c->ll<8191)c->line[c->ll++]=b[i];}}
static void leave(uint64_t t){for(int i=0;i<conc;i++){if(!since[i]||t-since[i]<=patience)continue;conn*c=&cs[i];inflight--;done++;if(c->t0>=tmeas)left++;if(c->fd>=0){close(c->fd);c->fd=-1;}next(c);}}
// returns 1 when response complete
static int parse(conn*c,uint64_t t){
  if(!c->hdr){char*he=memmem(c->in,c->inlen,"\r\n\r\n",4);if(!he)return 0;c->hdr=he-c->in+4;c->status=atoi(c->in+9);
    char*p=c->in;while(p<he){char*nl=memchr(p,'\n',he+2-p);if(!nl)break;if(!strncasecmp(p,"content-length:",15))c->cl=atoi(p+15);else if(!strncasecmp(p,"transfer-encoding: chunked",26))c->chunked=1;else if(!strncasecmp(p,"connection: close",17))c->closehdr=1;else if(!strncasecmp(p,"retry-after:",12))c->retry=1;p=nl+1;}
    memmove(c->in,c->in+c->hdr,c->inlen-c->hdr);c->inlen-=c->hdr;}
  if(c->chunked){int o=0,fin=0;for(;;){
      if(c->cstate==0){char*nl=memchr(c->in+o,'\n',c->inlen-o);if(!nl)break;c->csz=strtol(c->in+o,NULL,16);o=nl-c->in+1;c->cstate=c->csz?1:3;}
      else if(c->cstate==1){int a=c->inlen-o;if(a<=0)break;int k=a<c->csz?a:c->csz;body(c,c->in+o,k,t);o+=k;c->csz-=k;if(!c->csz)c->cstate=2;}
      else{ if(c->inlen-o<2)break;o+=2;if(c->cstate==3){fin=1;break;}c->cstate=0;}}
    memmove(c->in,c->in+o,c->inlen-o);c->inlen-=o;return fin;}
  body(c,c->in,c->inlen,t);c->inlen=0;if(c->cl>=0&&c->bodygot>=c->cl)return 1;return 0;}
static double pct(vec*v,double p){if(!v->n)return -1;long i=p*(v->n-1)+0.5;return v->v[i]/10.0;}
static double mean(vec*v){double s=0;for(long i=0;i<v->n;i++)s+=v->v[i]/10.0;return v->n?s/v->n:-1;}
static void pv(const char*nm,vec*v){qsort(v->v,v->n,4,cmp);printf(",\"%s_us\":{\"n\":%ld,\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f}",nm,v->n,mean(v),pct(v,.5),pct(v,.9),pct(v,.99),pct(v,1));}
int main(int ac,char**av){int o,marked=0,get=0;char*hd=calloc(1,65536);char*bf=NULL;signal(SIGPIPE,SIG_IGN);
  while((o=getopt(ac,av,"p:P:f:H:c:d:w:r:sn:1t:mG"))>0)switch(o){case'p':port=atoi(optarg);break;case'P':path=optarg;break;case'f':bf=optarg;break;case'H':strcat(hd,optarg);strcat(hd,"\r\n");break;case'c':conc=atoi(optarg);break;case'd':dur=atof(optarg);break;case'w':warm=atof(optarg);break;case'r':rate=atof(optarg);break;case's':stream=1;break;case'n':maxreq=atol(optarg);break;case'1':oneshot=1;break;case't':patience=atol(optarg)*1000000ull;break;case'm':marked=1;break;case'G':get=1;break;}
  char*b="";int bl=0;if(bf){FILE*f=fopen(bf,"r");b=malloc(1<<20);bl=fread(b,1,1<<20,f);fclose(f);}
  req=malloc(bl+70000);
  if(get)reql=sprintf(req,"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\nUser-Agent: loadgen\r\n%s\r\n",path,port,hd);
  else reql=sprintf(req,"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nAccept: */*\r\nUser-Agent: loadgen\r\n%sContent-Length: %d\r\n\r\n",path,port,hd,bl);if(marked)mark=strstr(req,"###.###.###");memcpy(req+reql,b,bl);reql+=bl;
  ep=epoll_create1(0);cs=calloc(conc,sizeof(conn));idle=calloc(conc,sizeof(int));since=calloc(conc,8);for(int i=0;i<conc;i++){cs[i].fd=-1;cs[i].incap=65536;cs[i].in=malloc(65536);}
  qcap=1<<20;q=malloc(qcap*8);tstart=now();tmeas=tstart+(uint64_t)(warm*1e9);tend=tstart+(uint64_t)((warm+dur)*1e9);
  uint64_t nexts=tstart;uint64_t step=rate>0?(uint64_t)(1e9/rate):0;
  if(rate<=0)for(int i=0;i<conc;i++)begin(&cs[i],now());else for(int i=conc;i--;)idle[nidle++]=i;
  static struct epoll_event ev[1024];long okm0=-1;uint64_t looked=0;
  for(;;){uint64_t t=now();if(okm0<0&&t>=tmeas)okm0=ok;
    if(patience&&t-looked>5000000){looked=t;leave(t);}
    if(rate>0){while(nexts<=t&&nexts<tend&&started+(qt-qh)<maxreq){int f=nidle&&qh==qt?idle[--nidle]:-1;
        if(f>=0)begin(&cs[f],nexts);else if(qt-qh<qcap)q[qt++%qcap]=nexts;nexts+=step;}}
    if((t>=tend||(started>=maxreq&&!inflight)||(oneshot&&!inflight&&started>0))&&(stream||rate>0?(inflight==0||t>=tend+60000000000ull):1))break;
    if(t>=tend&&!stream&&rate<=0)break;
    int to;if(rate>0&&nexts<tend){int64_t d=(int64_t)nexts-(int64_t)now();to=d>0?(int)(d/1000000):0;struct timespec ts={0,d>0?d%1000000000:0};ts.tv_sec=d>0?d/1000000000:0;int n=epoll_pwait2(ep,ev,1024,&ts,NULL);to=n;}else{to=epoll_wait(ep,ev,1024,20);}
    for(int i=0;i<to;i++){conn*c=ev[i].data.ptr;if(c->fd<0)continue;
      if((ev[i].events&EPOLLOUT)&&c->state==2)sendreq(c);
      if(ev[i].events&(EPOLLIN|EPOLLERR|EPOLLHUP)){for(;;){if(c->incap-c->inlen<8192){c->incap*=2;c->in=realloc(c->in,c->incap);}ssize_t r=recv(c->fd,c->in+c->inlen,c->incap-c->inlen,0);uint64_t t2=now();
          if(r>0){c->inlen+=r;if(c->state==2){if(parse(c,t2)){finish(c,1);break;}}else c->inlen=0;if(c->inlen<c->incap&&r<8192)break;}
          else if(r==0||errno!=EAGAIN){if(c->state==2){if(c->hdr&&!c->chunked&&c->cl<0){c->closehdr=1;finish(c,1);}else{connerr++;finish(c,0);}}else{close(c->fd);c->fd=-1;}break;}
          else break;}}}
  }
  double el=(now()-tmeas)/1e9,meas=el<dur?el:dur;if(stream||rate>0)meas=el;
  long okm=ok-(okm0<0?0:okm0);
  printf("{\"conc\":%d,\"rate\":%.0f,\"secs\":%.3f,\"ok\":%ld,\"all_ok\":%ld,\"all_chunks\":%ld,\"rps\":%.1f,\"err\":%ld,\"non200\":%ld,\"last_err_status\":%d,\"unfinished\":%ld,\"qleft\":%ld",conc,rate,meas,okm,ok,allchunks,okm/meas,errs,non200,lasterr_status,inflight,qt-qh);
  if(patience){printf(",\"left\":%ld,\"n503\":%ld,\"n429\":%ld,\"without_retry_after\":%ld",left,n503,n429,noretry);pv("shed",&shed);}
  pv("lat",&lat);if(stream){printf(",\"chunks\":%ld,\"chunks_per_s\":%.0f",chunks,chunks/meas);pv("ttft",&ttft);pv("transit",&transit);pv("gap",&gap);}
  printf("}\n");if(non200)fprintf(stderr,"status %d body: %s\n",lasterr_status,errbody);return 0;}
