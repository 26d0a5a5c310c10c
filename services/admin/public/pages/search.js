"use strict";
(() => {
  const MOST = 20, BEFORE = 60, AFTER = 140;
  const form = document.getElementById("search");
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const results = document.getElementById("results");
  let loading = null;

  const load = () => {
    loading ??= fetch(form.dataset.index).then((answer) => {
      if (!answer.ok) throw new Error(`the index answered ${answer.status}`);
      return answer.json();
    }).catch((error) => { loading = null; throw error; });
    return loading;
  };

  const ranked = (documents, words) => documents
    .map((each) => {
      const title = `${each.title} ${each.note} ${each.path}`.toLowerCase();
      const text = each.text.toLowerCase();
      const missing = words.some((word) => !title.includes(word) && !text.includes(word));
      const score = missing ? 0 : 1 + words.filter((word) => title.includes(word)).length;
      return { each, text, score };
    })
    .filter((row) => row.score > 0)
    .sort((one, other) => other.score - one.score);

  const excerpt = (text, lower, words) => {
    const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
    if (places.length === 0) return null;
    const first = Math.min(...places);
    const start = Math.max(0, first - BEFORE);
    const shown = document.createElement("small");
    const word = words.find((each) => lower.startsWith(each, first));
    const mark = document.createElement("mark");
    mark.textContent = text.slice(first, first + word.length);
    shown.append(start > 0 ? "… " : "", text.slice(start, first), mark, text.slice(first + word.length, first + AFTER), " …");
    return shown;
  };

  const row = ({ each, text }, words) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = each.path;
    link.textContent = each.title;
    item.append(link, each.note ? `: ${each.note}` : "");
    const shown = excerpt(each.text, text, words);
    if (shown) item.append(document.createElement("br"), shown);
    return item;
  };

  const search = async () => {
    const asked = query.value.trim().toLowerCase();
    const words = asked.split(/\s+/).filter(Boolean);
    if (words.length === 0) {
      results.replaceChildren();
      found.textContent = "";
      return;
    }
    try {
      const { documents } = await load();
      if (query.value.trim().toLowerCase() !== asked) return;
      const rows = ranked(documents, words);
      found.textContent = rows.length === 1 ? "1 document" : `${rows.length} documents`;
      results.replaceChildren(...rows.slice(0, MOST).map((each) => row(each, words)));
    } catch (error) {
      found.textContent = `The search doesn’t work now: ${error.message}`;
    }
  };

  query.addEventListener("input", search);
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  form.hidden = false;
})();
