// What every client here is asked to do, from its environment, and what it must have seen.

export const { BASE_URL, API_KEY, MODEL, SCENARIO } = process.env;
export const PROMPT = SCENARIO === "tool" ? "Please call weather: what is the weather in Paris?" : "hi";
export const RESULT = "18 degrees and rain";
export const ABOUT = "The weather in a city.";
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string", enum: ["Paris"] } },
  required: ["city"],
  additionalProperties: false,
};

// The text of the last turn. `turn` asks once, adds to the conversation what was answered, and returns the text and the
// calls; `give` adds the results.
export async function converse(turn, give) {
  let { text, calls } = await turn();
  if (SCENARIO === "tool") {
    if (calls.length !== 1) throw new Error(`${calls.length} calls of tools`);
    const [{ name, input }] = calls;
    if (name !== "weather" || input.city !== "Paris") throw new Error(`a call of ${name} with ${JSON.stringify(input)}`);
    give(calls[0]);
    ({ text, calls } = await turn());
  }
  if (calls.length) throw new Error("a call of a tool at the end");
  console.log(text);
}
