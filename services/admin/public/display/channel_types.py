"""Numbers by which programs for One API know kinds of channels.

Source: the constants of the Go program of that name. Vendors that it doesn't know are 0, its "unknown".
"""

UNKNOWN = 0
CHANNEL_TYPES = {
    "openai": 1,
    "azure-openai": 3,
    "anthropic": 14,
    "zhipu": 16,
    "openrouter": 20,
    "tencent-hunyuan": 23,
    "gemini": 24,
    "moonshot": 25,
    "moonshot-cn": 25,
    "baichuan": 26,
    "minimax": 27,
    "minimax-cn": 27,
    "mistral": 28,
    "groq": 29,
    "ollama": 30,
    "lingyi": 31,
    "stepfun": 32,
    "cohere": 35,
    "deepseek": 36,
    "cloudflare": 37,
    "together": 39,
    "volcengine": 40,
    "novita": 41,
    "vertex": 42,
    "siliconflow": 44,
    "siliconflow-cn": 44,
    "xai": 45,
    "baidu": 47,
    "spark": 48,
    "alibaba": 49,
    "alibaba-cn": 49,
    "openai-compatible": 50,
    "gemini-openai": 51,
    "anthropic-compatible": 52,
    "fireworks": 54,
    "nvidia": 55,
    "cerebras": 56,
    "deepinfra": 57,
    "zai": 58,
    "jina": 59,
}


def channel_type(provider: str) -> int:
    """The number of a provider."""
    return CHANNEL_TYPES.get(provider, UNKNOWN)
