// OpenAI's SDK, Chat Completions, streamed.
import OpenAI from "openai";
import { ABOUT, API_KEY, BASE_URL, MODEL, PROMPT, RESULT, SCENARIO, SCHEMA, converse } from "./asking.mjs";

const client = new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: API_KEY, maxRetries: 0 });
const messages = [{ role: "user", content: PROMPT }];
const fn = { name: "weather", description: ABOUT, parameters: SCHEMA, strict: true };
const tools = SCENARIO === "tool" ? [{ type: "function", function: fn }] : undefined;

await converse(
  async () => {
    const stream = client.chat.completions.stream({
      model: MODEL, messages, tools, stream_options: { include_usage: true },
    });
    const { choices: [{ message, finish_reason }], usage } = await stream.finalChatCompletion();
    if (!usage?.prompt_tokens || !usage.completion_tokens) throw new Error("no usage");
    const calls = message.tool_calls ?? [];
    if (finish_reason !== (calls.length ? "tool_calls" : "stop")) throw new Error(`ended by ${finish_reason}`);
    messages.push({ role: "assistant", content: message.content, ...(calls.length ? { tool_calls: calls } : {}) });
    return {
      text: message.content,
      calls: calls.map((call) => ({
        id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments),
      })),
    };
  },
  ({ id }) => messages.push({ role: "tool", tool_call_id: id, content: RESULT }),
);
