// Anthropic's SDK, Messages, streamed.
import Anthropic from "@anthropic-ai/sdk";
import { ABOUT, API_KEY, BASE_URL, MODEL, PROMPT, RESULT, SCENARIO, SCHEMA, converse } from "./asking.mjs";

const client = new Anthropic({ baseURL: BASE_URL, apiKey: API_KEY, maxRetries: 0 });
const messages = [{ role: "user", content: PROMPT }];
const tools = SCENARIO === "tool" ? [{ name: "weather", description: ABOUT, input_schema: SCHEMA }] : undefined;

await converse(
  async () => {
    const counted = await client.messages.countTokens({ model: MODEL, messages, tools });
    if (!counted.input_tokens) throw new Error("no count");
    const stream = client.messages.stream({ model: MODEL, max_tokens: 500, messages, tools });
    const { content, stop_reason, usage } = await stream.finalMessage();
    if (!usage.output_tokens) throw new Error("no usage");
    const calls = content.filter(({ type }) => type === "tool_use");
    if (stop_reason !== (calls.length ? "tool_use" : "end_turn")) throw new Error(`ended by ${stop_reason}`);
    messages.push({ role: "assistant", content });
    const text = content.filter(({ type }) => type === "text").map((block) => block.text).join("");
    return { text, calls };
  },
  ({ id }) => {
    const result = { type: "tool_result", tool_use_id: id, content: RESULT };
    messages.push({ role: "user", content: [result] });
  },
);
