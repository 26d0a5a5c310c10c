"use strict";
(() => {
  const MOST = 1_000_000;
  const part = (id) => document.getElementById(id);
  const form = part("playground"), format = part("format"), example = part("case"), stream = part("stream");
  const body = part("body"), send = part("send"), stop = part("stop"), target = part("target");
  const answer = part("answer"), status = part("status"), headers = part("headers"), shown = part("answer-body");
  let running = null;

  const fill = () => {
    const asked = JSON.parse(format.selectedOptions[0].dataset.request);
    asked.stream = stream.checked;
    if (example.value) asked.metadata = { sandbox: example.value };
    body.value = JSON.stringify(asked, null, 2);
    target.textContent = `POST ${format.value}`;
  };

  const switchStream = () => {
    try {
      const asked = JSON.parse(body.value);
      asked.stream = stream.checked;
      body.value = JSON.stringify(asked, null, 2);
    } catch {
      // Somebody is in the middle of writing; what is sent is what stands there.
    }
  };

  const spread = (text, type) => {
    if (!type.includes("json")) return text;
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  const read = async (response, began) => {
    const type = response.headers.get("content-type") ?? "";
    const line = `${response.status} ${response.statusText}`.trim();
    headers.textContent = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "", bytes = 0, first = null;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      first ??= performance.now() - began;
      bytes += value.length;
      if (text.length < MOST) text += decoder.decode(value, { stream: true });
      shown.textContent = text;
      status.textContent = `${line}: receiving`;
    }
    shown.textContent = spread(text, type);
    const took = performance.now() - began;
    status.textContent = `${line}: ${bytes} bytes in ${took.toFixed(0)} ms, the first after ${(first ?? took).toFixed(0)} ms`;
  };

  const ask = async () => {
    running?.abort();
    const mine = running = new AbortController();
    answer.hidden = false;
    headers.textContent = shown.textContent = "";
    status.textContent = "Sending";
    stop.disabled = false;
    const began = performance.now();
    try {
      const response = await fetch(format.value, {
        method: "POST",
        headers: { "content-type": "application/json" },
        credentials: "omit",
        body: body.value,
        signal: mine.signal,
      });
      await read(response, began);
    } catch (error) {
      if (running === mine) status.textContent = mine.signal.aborted ? "Stopped" : `The connection broke: ${error.message}`;
    } finally {
      if (running === mine) {
        running = null;
        stop.disabled = true;
      }
    }
  };

  format.addEventListener("change", fill);
  example.addEventListener("change", fill);
  stream.addEventListener("change", switchStream);
  stop.addEventListener("click", () => running?.abort());
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
  });
  fill();
  form.hidden = false;
})();
