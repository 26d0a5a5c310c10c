// A host of MCP Apps around the view's script: a page of stand-ins, and the messages that a host exchanges with it.
// Reads the script on stdin, prints what was seen as JSON.
"use strict";
const vm = require("node:vm");

const elements = new Map();
class Element {
  constructor(tag) {
    this.tag = tag; this.textContent = ""; this.value = ""; this.disabled = true;
    this.children = []; this.listeners = {}; this.style = {}; this.scrollWidth = 300; this.scrollHeight = 200;
  }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  append(...added) { this.children.push(...added); }
  replaceChildren(...added) { this.children = added; }
}
const document = {
  getElementById: (id) => elements.get(id) || elements.set(id, new Element(id)).get(id),
  createElement: (tag) => new Element(tag),
  documentElement: new Element("html"),
  body: new Element("body"),
};
const sent = [];
const host = { postMessage: (message) => sent.push(JSON.parse(JSON.stringify(message))) };
const listeners = [];
const window = { parent: host, addEventListener: (_name, listener) => listeners.push(listener) };
class ResizeObserver { constructor(seen) { this.seen = seen; } observe() { this.seen(); } }
const say = (data, source = host) => listeners.forEach((listener) => listener({ data, source }));
const settled = () => new Promise((resolve) => setImmediate(resolve));

(async () => {
  const script = require("node:fs").readFileSync(0, "utf8");
  const alone = {};
  alone.parent = alone;
  alone.addEventListener = () => { throw new Error("a view without a host must not listen"); };
  vm.runInNewContext(script, { window: alone, document, ResizeObserver });
  const before = sent.length;

  vm.runInNewContext(script, { window, document, ResizeObserver });
  const opening = sent.slice(before);
  const stranger = { postMessage: () => {} };
  say({ jsonrpc: "2.0", id: opening[0].id, result: {} }, stranger);
  await settled();
  const afterStranger = sent.length - before - opening.length;
  say({ jsonrpc: "2.0", id: opening[0].id, result: {
    protocolVersion: "2026-01-26", hostCapabilities: { serverTools: {} }, hostContext: { theme: "dark" } } });
  await settled();
  const enabled = !elements.get("query").disabled;

  elements.get("query").value = "price of x";
  elements.get("ask").listeners.submit({ preventDefault: () => {} });
  const asked = sent.at(-1);
  const evil = "<img src=x onerror=alert(1)>";
  say({ jsonrpc: "2.0", id: asked.id, result: { content: [], structuredContent: {
    answer: evil, results: [{ name: evil, description: "d", url: "https://gw.example/x" }] } } });
  await settled();
  const shown = { answer: elements.get("answer").textContent, row: elements.get("results").children[0] };
  shown.row.children[0].listeners.click();
  const opened = sent.at(-1);

  elements.get("models").listeners.click();
  const listed = sent.at(-1);
  say({ jsonrpc: "2.0", id: listed.id, error: { code: -32000, message: "refused" } });
  await settled();
  const refused = elements.get("status").textContent;
  say({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: { content: [], structuredContent: {
    total: 1, models: [{ id: "m", offers: [{ channel: "c", price: {
      usd_per_million_tokens: { input: "2" }, usd_each: {} } }] }] } } });
  const models = elements.get("results").children[0].children.map((child) => child.textContent);
  say({ jsonrpc: "2.0", id: 99, method: "ui/resource-teardown", params: {} });
  const teardown = sent.at(-1);
  say({ jsonrpc: "2.0", id: 98, method: "nonsense" });
  const unknown = sent.at(-1);

  console.log(JSON.stringify({ before, opening, afterStranger, enabled, asked, opened, listed, refused, models,
    teardown, unknown, sent, answer: shown.answer, theme: document.documentElement.style.colorScheme,
    name: shown.row.children[0].textContent }));
})();
