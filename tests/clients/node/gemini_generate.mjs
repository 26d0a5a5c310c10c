// Google's SDK, streamed.
import { GoogleGenAI } from "@google/genai";
import { ABOUT, API_KEY, BASE_URL, MODEL, PROMPT, RESULT, SCENARIO, SCHEMA, converse } from "./asking.mjs";

const client = new GoogleGenAI({ apiKey: API_KEY, httpOptions: { baseUrl: BASE_URL } });
const contents = [{ role: "user", parts: [{ text: PROMPT }] }];
const declared = { name: "weather", description: ABOUT, parametersJsonSchema: SCHEMA };
const config = SCENARIO === "tool" ? { tools: [{ functionDeclarations: [declared] }] } : {};

await converse(
  async () => {
    const parts = [];
    let usage, reason;
    for await (const answer of await client.models.generateContentStream({ model: MODEL, contents, config })) {
      const candidate = answer.candidates?.[0];
      parts.push(...(candidate?.content?.parts ?? []));
      reason = candidate?.finishReason ?? reason;
      usage = answer.usageMetadata ?? usage;
    }
    if (!usage?.promptTokenCount || !usage.candidatesTokenCount) throw new Error("no usage");
    if (reason !== "STOP") throw new Error(`ended by ${reason}`);
    contents.push({ role: "model", parts });
    return {
      text: parts.filter((part) => !part.thought).map((part) => part.text ?? "").join(""),
      calls: parts.filter((part) => part.functionCall).map(({ functionCall: { id, name, args } }) => ({
        id, name, input: args,
      })),
    };
  },
  ({ id, name }) => contents.push({
    role: "user", parts: [{ functionResponse: { id, name, response: { output: RESULT } } }],
  }),
);
