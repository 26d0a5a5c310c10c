"""Style and script of the MCP Apps view, as they stand in the page.

The script speaks JSON-RPC with the host by postMessage, as the extension of 2026-01-26 has it: `ui/initialize`, then
`ui/notifications/initialized`, and tools through the host. It decides nothing that the server doesn't.
"""

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1rem; background: Canvas; color: CanvasText; }
main { max-width: 46rem; margin: 0 auto; }
h1 { font-size: 1.2rem; margin: 0 0 .25rem; }
label { display: block; font-weight: 600; margin: .75rem 0 .25rem; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; }
input { flex: 1 1 14rem; min-width: 0; font: inherit; padding: .35rem .5rem; }
button { font: inherit; padding: .35rem .75rem; }
li { margin: .5rem 0; overflow-wrap: anywhere; }
li button { border: 0; padding: 0; background: none; color: LinkText; text-decoration: underline; cursor: pointer; }
li span { display: block; }
"""

SCRIPT = """
(() => {
  "use strict";
  const host = window.parent;
  const at = (id) => document.getElementById(id);
  const waiting = new Map();
  let last = 0;
  const send = (message) => host.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      send({ id: last, method, params });
    });
  const say = (text) => { at("status").textContent = text; };
  const row = (name, text, url) => {
    const item = document.createElement("li");
    const title = document.createElement(url ? "button" : "strong");
    title.textContent = name;
    if (url) {
      title.type = "button";
      title.addEventListener("click", () => request("ui/open-link", { url }).catch(() => say(url)));
    }
    const told = document.createElement("span");
    told.textContent = text;
    item.append(title, told);
    return item;
  };
  const price = (offer) => {
    if (!offer.price) return offer.channel + ": no price";
    const tokens = Object.entries(offer.price.usd_per_million_tokens).map(([name, usd]) => name + " " + usd);
    const each = Object.entries(offer.price.usd_each).map(([name, usd]) => name + " " + usd);
    const parts = [];
    if (tokens.length) parts.push(tokens.join(", ") + " USD per 1M tokens");
    if (each.length) parts.push(each.join(", ") + " USD each");
    return offer.channel + ": " + (parts.join("; ") || "free");
  };
  const show = (result) => {
    const data = (result && result.structuredContent) || {};
    const said = ((result && result.content) || []).map((part) => part.text || "").join(" ");
    let rows = [];
    if (data.results) rows = data.results.map((found) => row(found.name, found.description, found.url));
    if (data.models) rows = data.models.map((model) => row(model.id, model.offers.map(price).join("; ")));
    at("answer").textContent = data.answer || (data.models ? data.total + " models" : said);
    at("results").replaceChildren(...rows);
    say(result && result.isError ? "That could not be answered." : "");
  };
  const call = (name, args) => {
    say("Asking the gateway.");
    request("tools/call", { name, arguments: args }).then(show, (error) => say(error.message || "The host refused."));
  };
  const theme = (context) => {
    if (context && (context.theme === "light" || context.theme === "dark")) {
      document.documentElement.style.colorScheme = context.theme;
    }
  };
  const hear = (event) => {
    const message = event.data;
    if (event.source !== host || !message || message.jsonrpc !== "2.0") return;
    if (message.method === undefined) {
      const pending = waiting.get(message.id);
      waiting.delete(message.id);
      if (pending && message.error) pending.reject(message.error);
      else if (pending) pending.resolve(message.result);
      return;
    }
    if (message.method === "ui/notifications/tool-result") show(message.params);
    if (message.method === "ui/notifications/host-context-changed") theme(message.params);
    if (message.id === undefined) return;
    if (message.method === "ping" || message.method === "ui/resource-teardown") send({ id: message.id, result: {} });
    else send({ id: message.id, error: { code: -32601, message: "There is no such method here." } });
  };
  if (host === window) return;
  window.addEventListener("message", hear);
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    call("ask", { query: at("query").value });
  });
  at("models").addEventListener("click", () => call("list_models", {}));
  request("ui/initialize", {
    protocolVersion: "2026-01-26",
    appInfo: { name: "gateway-public-discovery", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline"] },
  }).then((given) => {
    theme(given.hostContext);
    send({ method: "ui/notifications/initialized" });
    const tools = given.hostCapabilities && given.hostCapabilities.serverTools;
    for (const id of ["query", "send", "models"]) at(id).disabled = !tools;
    say(tools ? "" : "This host does not let views call tools.");
    const size = () => send({
      method: "ui/notifications/size-changed",
      params: { width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight },
    });
    new ResizeObserver(size).observe(document.body);
  }, () => say("The host did not accept this view."));
})();
"""
