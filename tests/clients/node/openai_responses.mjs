// OpenAI's SDK, Responses, streamed.
import OpenAI from "openai";
import { ABOUT, API_KEY, BASE_URL, MODEL, PROMPT, RESULT, SCENARIO, SCHEMA, converse } from "./asking.mjs";

const client = new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: API_KEY, maxRetries: 0 });
const input = [{ role: "user", content: PROMPT }];
const tool = { type: "function", name: "weather", description: ABOUT, parameters: SCHEMA, strict: true };
const tools = SCENARIO === "tool" ? [tool] : undefined;

await converse(
  async () => {
    const stream = client.responses.stream({ model: MODEL, input, tools, store: false });
    let deltas = "";
    stream.on("response.output_text.delta", ({ delta }) => (deltas += delta));
    const answer = await stream.finalResponse();
    if (deltas !== answer.output_text) throw new Error("the stream's text isn't the answer's");
    if (!answer.usage?.input_tokens || !answer.usage.output_tokens) throw new Error("no usage");
    input.push(...answer.output.map(({ parsed_arguments, ...item }) => item));
    const calls = answer.output.filter(({ type }) => type === "function_call");
    return {
      text: answer.output_text,
      calls: calls.map((call) => ({ id: call.call_id, name: call.name, input: JSON.parse(call.arguments) })),
    };
  },
  ({ id }) => input.push({ type: "function_call_output", call_id: id, output: RESULT }),
);
