"""Vendors and servers that speak OpenAI's formats, and some of them Anthropic's as well. A new one is one row here.

Decides each one's base URL, formats and endpoints. A format is in a row when the vendor documents it at a place that
follows from the one base URL; what a vendor has deprecated is not. It must not know which channels exist.
"""

from oneapi.providers.spec import OPENAI_PATHS, ProviderSpec, bearer, bearer_and_x_api_key

CHAT = "openai_chat"
RESPONSES = "openai_responses"
EMBEDDINGS = "openai_embeddings"
MESSAGES = "anthropic_messages"

_BELOW = "/messages"
"""Where Messages are for those that have them beside Chat Completions. Anthropic's SDK adds the `/v1` itself."""


def _row(
    name: str,
    base_url: str,
    *speaks: str,
    messages: str = "",
    instead_of: str = "",
    form: str = "",
    cap: str = "max_tokens",
) -> ProviderSpec:
    """One vendor that speaks these, best first.

    Messages are at the path `messages` below the base URL, or, with `instead_of`, where that ending of it stands.
    """
    conversations = tuple(dialect for dialect in speaks if dialect != EMBEDDINGS)
    paths = {dialect: path for dialect, path in OPENAI_PATHS.items() if dialect in speaks}
    beside = {}
    if messages and instead_of:
        beside = {MESSAGES: messages}
    elif messages:
        paths[MESSAGES] = messages
    return ProviderSpec(
        name,
        base_url,
        (*conversations, MESSAGES) if messages else conversations,
        (("chat",) if conversations else ()) + (("embeddings",) if EMBEDDINGS in speaks else ()),
        paths,
        bearer,
        credentials_of={MESSAGES: bearer_and_x_api_key} if messages else {},
        beside=beside,
        ending=instead_of,
        base_url_form=form,
        max_output_field=cap,
    )


_MAKERS = (
    # Those who make models and serve them.
    _row("ai21", "https://api.ai21.com/studio/v1", CHAT),
    _row(
        "alibaba",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        CHAT,
        EMBEDDINGS,
        messages="/apps/anthropic/v1/messages",
        instead_of="/compatible-mode/v1",
    ),
    _row(
        "alibaba-cn",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        CHAT,
        EMBEDDINGS,
        messages="/apps/anthropic/v1/messages",
        instead_of="/compatible-mode/v1",
    ),
    _row("baichuan", "https://api.baichuan-ai.com/v1", CHAT, EMBEDDINGS),
    _row("baidu", "https://qianfan.baidubce.com/v2", CHAT, EMBEDDINGS),
    _row(
        "deepseek",
        "https://api.deepseek.com",
        CHAT,
        RESPONSES,
        messages="/anthropic/v1/messages",
        instead_of="/v1",  # its base URL is accepted with and without
    ),
    _row("gemini-openai", "https://generativelanguage.googleapis.com/v1beta/openai", CHAT, EMBEDDINGS),
    _row("inception", "https://api.inceptionlabs.ai/v1", CHAT),
    _row("jina", "https://api.jina.ai/v1", EMBEDDINGS),
    _row("lingyi", "https://api.lingyiwanwu.com/v1", CHAT),
    _row("meta-llama", "https://api.llama.com/compat/v1", CHAT),
    _row(
        "minimax",
        "https://api.minimax.io/v1",
        CHAT,
        RESPONSES,
        messages="/anthropic/v1/messages",
        instead_of="/v1",
    ),
    _row("minimax-cn", "https://api.minimaxi.com/v1", CHAT, messages="/anthropic/v1/messages", instead_of="/v1"),
    _row("mistral", "https://api.mistral.ai/v1", CHAT, EMBEDDINGS),
    _row(
        "moonshot",
        "https://api.moonshot.ai/v1",
        CHAT,
        RESPONSES,
        messages="/anthropic/v1/messages",
        instead_of="/v1",
    ),
    _row("moonshot-cn", "https://api.moonshot.cn/v1", CHAT, messages="/anthropic/v1/messages", instead_of="/v1"),
    _row("perplexity", "https://api.perplexity.ai", CHAT),
    _row("spark", "https://spark-api-open.xf-yun.com/v1", CHAT),
    _row("stepfun", "https://api.stepfun.com/v1", CHAT),
    _row(
        "tencent-hunyuan",
        "https://api.hunyuan.cloud.tencent.com/v1",
        CHAT,
        EMBEDDINGS,
        messages="/anthropic/v1/messages",
        instead_of="/v1",
    ),
    _row("upstage", "https://api.upstage.ai/v1/solar", CHAT, EMBEDDINGS),
    _row("volcengine", "https://ark.cn-beijing.volces.com/api/v3", CHAT, RESPONSES, EMBEDDINGS),
    _row("voyage", "https://api.voyageai.com/v1", EMBEDDINGS),
    _row("xai", "https://api.x.ai/v1", RESPONSES, CHAT, cap="max_completion_tokens"),
    _row("xiaomi", "https://api.xiaomimimo.com/v1", CHAT),
    _row(
        "zai",
        "https://api.z.ai/api/paas/v4",
        CHAT,
        messages="/anthropic/v1/messages",
        instead_of="/paas/v4",
    ),
    _row(
        "zhipu",
        "https://open.bigmodel.cn/api/paas/v4",
        CHAT,
        EMBEDDINGS,
        messages="/anthropic/v1/messages",
        instead_of="/paas/v4",
    ),
)

_HOSTS = (
    # Those who serve other people's models.
    _row("aihubmix", "https://aihubmix.com/v1", CHAT),
    _row("baseten", "https://inference.baseten.co/v1", CHAT),
    _row("cerebras", "https://api.cerebras.ai/v1", CHAT, cap="max_completion_tokens"),
    _row("chutes", "https://llm.chutes.ai/v1", CHAT),
    _row(
        "cloudflare",
        "",
        CHAT,
        EMBEDDINGS,
        form="https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1",
    ),
    _row("databricks", "", CHAT, EMBEDDINGS, form="https://{workspace}/serving-endpoints"),
    _row("deepinfra", "https://api.deepinfra.com/v1/openai", CHAT, EMBEDDINGS),
    _row("digitalocean", "https://inference.do-ai.run/v1", CHAT),
    _row("featherless", "https://api.featherless.ai/v1", CHAT),
    _row("fireworks", "https://api.fireworks.ai/inference/v1", CHAT, RESPONSES, EMBEDDINGS, messages=_BELOW),
    _row("friendli", "https://api.friendli.ai/serverless/v1", CHAT),
    _row("github-models", "https://models.github.ai/inference", CHAT, EMBEDDINGS),
    _row("groq", "https://api.groq.com/openai/v1", CHAT, RESPONSES, cap="max_completion_tokens"),
    _row("huggingface", "https://router.huggingface.co/v1", CHAT),
    _row("hyperbolic", "https://api.hyperbolic.xyz/v1", CHAT),
    _row("io-net", "https://api.intelligence.io.solutions/api/v1", CHAT, EMBEDDINGS),
    _row("modelscope", "https://api-inference.modelscope.cn/v1", CHAT),
    _row("nebius", "https://api.tokenfactory.nebius.com/v1", CHAT, EMBEDDINGS),
    _row(
        "novita",
        "https://api.novita.ai/openai",
        CHAT,
        messages="/anthropic/v1/messages",
        instead_of="/openai",
    ),
    _row("nscale", "https://inference.api.nscale.com/v1", CHAT),
    _row("nvidia", "https://integrate.api.nvidia.com/v1", CHAT, EMBEDDINGS),
    _row("ollama-cloud", "https://ollama.com/v1", CHAT, RESPONSES, messages=_BELOW),
    _row("openrouter", "https://openrouter.ai/api/v1", CHAT, RESPONSES, EMBEDDINGS, messages=_BELOW),
    _row("ovhcloud", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", CHAT),
    _row("poe", "https://api.poe.com/v1", CHAT),
    _row("requesty", "https://router.requesty.ai/v1", CHAT),
    _row("sambanova", "https://api.sambanova.ai/v1", CHAT, EMBEDDINGS),
    _row("scaleway", "https://api.scaleway.ai/v1", CHAT, EMBEDDINGS),
    _row("siliconflow", "https://api.siliconflow.com/v1", CHAT, EMBEDDINGS, messages=_BELOW),
    _row("siliconflow-cn", "https://api.siliconflow.cn/v1", CHAT, EMBEDDINGS, messages=_BELOW),
    _row("snowflake", "", CHAT, form="https://{account}.snowflakecomputing.com/api/v2/cortex/v1"),
    _row("together", "https://api.together.xyz/v1", CHAT, EMBEDDINGS),
    _row("venice", "https://api.venice.ai/api/v1", CHAT),
    _row("vercel", "https://ai-gateway.vercel.sh/v1", CHAT, EMBEDDINGS, messages=_BELOW),
    _row("wandb", "https://api.inference.wandb.ai/v1", CHAT),
)

_SERVERS = (
    # What operators run themselves, wherever that is.
    _row("llama-cpp", "", CHAT, EMBEDDINGS, messages=_BELOW, form="http://{host}:8080/v1"),
    _row("lmstudio", "", CHAT, RESPONSES, EMBEDDINGS, messages=_BELOW, form="http://{host}:1234/v1"),
    _row("localai", "", CHAT, EMBEDDINGS, form="http://{host}:8080/v1"),
    _row("ollama", "", CHAT, RESPONSES, EMBEDDINGS, messages=_BELOW, form="http://{host}:11434/v1"),
    _row("sglang", "", CHAT, EMBEDDINGS, form="http://{host}:30000/v1"),
    _row("vllm", "", CHAT, RESPONSES, EMBEDDINGS, messages=_BELOW, form="http://{host}:8000/v1"),
    _row("xinference", "", CHAT, EMBEDDINGS, form="http://{host}:9997/v1"),
)

OPENAI_COMPATIBLE = _MAKERS + _HOSTS + _SERVERS
