// Many connections that send a request's head one byte at a time and never finish it; each comes back when it is cut.
// ./slow_heads PORT COUNT SECONDS [INTERVAL_MS, 1000]
// One thread, one epoll loop; they come within ten seconds, and sends are spread evenly, so that each second is like
// the others. Prints one JSON line:
// bytes sent, connections made, most connections open at the same time.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>

typedef struct { int fd, sent, open; } conn;
static const char head[] = "GET /v1/models HTTP/1.1\r\nHost: gateway\r\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static int ep, port;
static long sent, made, open_now, most_open, failed;

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void come(conn *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    c->sent = 0;
    c->open = 0;
    if (c->fd < 0) { failed++; return; }
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // Reset at the end: no port stays in TIME_WAIT, of which there are fewer than connections in a long run.
    struct linger reset = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(c->fd, (void *)&a, sizeof a) && errno != EINPROGRESS) { close(c->fd); c->fd = -1; failed++; return; }
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    made++;
    if (++open_now > most_open) most_open = open_now;
}

static void cut(conn *c) {
    close(c->fd);
    c->fd = -1;
    open_now--;
}

int main(int count_of_arguments, char **arguments) {
    if (count_of_arguments < 4) return 2;
    signal(SIGPIPE, SIG_IGN);
    port = atoi(arguments[1]);
    long count = atol(arguments[2]);
    double seconds = atof(arguments[3]);
    uint64_t interval_us = (count_of_arguments > 4 ? atol(arguments[4]) : 1000) * 1000ull;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    ep = epoll_create1(0);
    conn *all = calloc(count, sizeof(conn));
    for (long i = 0; i < count; i++) all[i].fd = -1;
    static struct epoll_event events[1024];
    uint64_t began = now_us(), end = began + (uint64_t)(seconds * 1e6);
    uint64_t turns = 0;  // bytes that are due so far: one for each connection in each interval
    for (uint64_t now = began; now < end; now = now_us()) {
        uint64_t due = (now - began) * count / interval_us;
        if (due - turns > (uint64_t)count) turns = due - count;
        for (; turns < due; turns++) {
            conn *c = &all[turns % count];
            // In a turn that is theirs alone: the deadlines of those that come together end together.
            if (c->fd < 0) { if (turns / count >= (turns % count) % 10) come(c); continue; }
            if (send(c->fd, head + c->sent, 1, MSG_NOSIGNAL) == 1) {
                sent++;
                if (c->sent + 2 < (int)sizeof head) c->sent++;
            }
        }
        int n = epoll_wait(ep, events, 1024, 5);
        for (int i = 0; i < n; i++) {
            conn *c = events[i].data.ptr;
            cut(c);
            come(c);
        }
    }
    printf("{\"bytes\":%ld,\"made\":%ld,\"most_open\":%ld,\"failed\":%ld}\n", sent, made, most_open, failed);
    return 0;
}
