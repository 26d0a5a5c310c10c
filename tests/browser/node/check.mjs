// Looks at every page as people do: in a browser, on a phone and on a desk, in light and dark, by keyboard, without
// scripts. `node check.mjs TASK.json`; the last line is `N passed, N failed`.
import { mkdirSync, readFileSync } from "node:fs";
import axe from "axe-core";
import { HtmlValidate } from "html-validate";
import puppeteer from "puppeteer-core";

const task = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const WIDTHS = { phone: 390, desk: 1280 };
const SCHEMES = ["light", "dark"];
const WAIT = { timeout: 20_000 };
const MOST_TABS = 60, TALLEST = 2_600, LEAST = 100;
let passed = 0, failed = 0;

function check(name, problems) {
  if (problems.length === 0) passed += 1;
  else failed += 1;
  console.log(`${problems.length === 0 ? "ok     " : "FAILED "} ${name}${problems.map((each) => `\n          ${each}`).join("")}`);
}

// A tab that remembers what a page must not do: log an error, fail, ask another host.
async function open(browser, { width, scheme = "light", scripts = true }) {
  const page = await browser.newPage();
  const problems = [];
  await page.setViewport({ width, height: 844 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setJavaScriptEnabled(scripts);
  await page.setCacheEnabled(false);
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(task.base) && !url.startsWith("data:")) problems.push(`asks ${url}`);
  });
  return { page, problems };
}

async function visit({ page, problems }, path) {
  const answer = await page.goto(task.base + path, { waitUntil: "load", ...WAIT });
  if (answer.status() !== 200) problems.push(`answered ${answer.status()}`);
}

async function looked(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  const problems = violations.map(
    (each) => `axe ${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`,
  );
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wider > 0) problems.push(`${wider} px wider than the screen`);
  return problems;
}

async function eachPage(browser) {
  for (const [kind, width] of Object.entries(WIDTHS)) {
    for (const scheme of SCHEMES) {
      for (const { path, picture } of task.pages) {
        // The pages of single documents are all of one kind: once is enough.
        if (!picture && (kind !== "phone" || scheme !== "light")) continue;
        const tab = await open(browser, { width, scheme });
        await visit(tab, path);
        const problems = [...(await looked(tab.page)), ...tab.problems];
        if (picture) await shot(tab.page, `${picture}-${kind}-${scheme}`);
        check(`${path} ${kind} ${scheme}`, problems);
        await tab.page.close();
      }
    }
  }
}

// The whole page, but no more of a long one than can be looked at.
async function shot(page, name) {
  const { width, height } = await page.evaluate(() => ({ width: window.innerWidth, height: document.documentElement.scrollHeight }));
  const clip = { x: 0, y: 0, width, height: Math.min(height, TALLEST) };
  await page.screenshot({ path: `${task.pictures}/${name}.png`, clip, captureBeyondViewport: true });
}

async function validated() {
  const validator = new HtmlValidate({ extends: ["html-validate:standard"] });
  for (const { path } of task.pages) {
    const text = await (await fetch(task.base + path)).text();
    const report = await validator.validateString(text);
    const messages = report.results.flatMap((result) => result.messages);
    check(`${path} is valid HTML`, messages.map((each) => `${each.line}:${each.column} ${each.ruleId}: ${each.message}`));
  }
}

const focused = (page) => page.evaluate(() => document.activeElement?.id ?? "");

// Presses Tab until an element has the focus.
async function reach(page, id) {
  for (let count = 0; count < MOST_TABS; count += 1) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`#${id} can't be reached with the Tab key`);
}

const text = (page, id) => page.$eval(`#${id}`, (element) => element.textContent);
const ended = (page) =>
  page.waitForFunction(() => / bytes in |broke/.test(document.getElementById("status").textContent), WAIT);

// The playground, by keyboard alone: each format, whole and streamed.
async function played(browser) {
  for (const [kind, width] of Object.entries(WIDTHS)) {
    const tab = await open(browser, { width });
    const { page } = tab;
    const name = `the playground by keyboard, ${kind}`;
    try {
      await visit(tab, "/docs/playground");
      for (const [place, sign] of ["chat.completion", "response", "message"].entries()) {
        await page.focus("body");
        await page.evaluate(() => document.activeElement.blur());
        await reach(page, "format");
        if (place > 0) await page.keyboard.press("ArrowDown");
        await reach(page, "case");
        await reach(page, "stream");
        await reach(page, "body");
        await reach(page, "send");
        await page.keyboard.press("Enter");
        await ended(page);
        const whole = [await text(page, "status"), await text(page, "answer-body"), await text(page, "headers")];
        if (!whole[0].startsWith("200")) tab.problems.push(`${sign}: ${whole[0]} ${whole[1].slice(0, 300)}`);
        if (!whole[1].includes(`"${sign}"`)) tab.problems.push(`${sign}: ${whole[1].slice(0, 300)}`);
        if (!whole[2].includes("content-type: application/json")) tab.problems.push(`${sign}: headers ${whole[2]}`);
        await page.focus("#stream");
        await page.keyboard.press("Space");
        await reach(page, "send");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.getElementById("answer-body").textContent.includes("data: "), WAIT);
        await ended(page);
        if (!(await text(page, "headers")).includes("content-type: text/event-stream")) tab.problems.push(`${sign}: no stream`);
        await page.focus("#stream");
        if (place < 2) await page.keyboard.press("Space");
      }
      tab.problems.push(...(await looked(page)));
      await shot(page, `playground-answered-${kind}-light`);
    } catch (error) {
      tab.problems.push(error.message);
    }
    check(name, tab.problems);
    await page.close();
  }
}

async function refused(browser) {
  const tab = await open(browser, { width: WIDTHS.desk });
  await visit(tab, "/docs/playground");
  await tab.page.$eval("#body", (element) => { element.value = "{"; });
  await tab.page.click("#send");
  await ended(tab.page);
  const status = await text(tab.page, "status");
  // The browser itself logs that a request was answered with 400.
  const own = tab.problems.filter((each) => !each.includes("400"));
  check("the playground shows a refusal", status.startsWith("400") ? own : [status, ...own]);
  await tab.page.close();
}

async function searched(browser) {
  const tab = await open(browser, { width: WIDTHS.phone });
  await visit(tab, "/docs");
  try {
    await reach(tab.page, "query");
    await tab.page.keyboard.type(task.searched);
    await tab.page.waitForSelector("#results li a", WAIT);
    tab.problems.push(...(await looked(tab.page)));
    await shot(tab.page, "docs-searched-phone-light");
    await tab.page.$eval("#query", (element) => { element.value = ""; });
    await tab.page.type("#query", "nothing-has-this-word");
    await tab.page.waitForFunction(() => document.getElementById("found").textContent === "0 documents", WAIT);
  } catch (error) {
    tab.problems.push(error.message);
  }
  check("the search, by keyboard", tab.problems);
  await tab.page.close();
}

async function withoutScripts(browser) {
  for (const { path, picture } of task.pages) {
    if (!picture) continue;
    const tab = await open(browser, { width: WIDTHS.phone, scripts: false });
    await visit(tab, path);
    const content = await tab.page.$eval("body", (element) => element.textContent.trim().length);
    if (content < LEAST) tab.problems.push(`says only ${content} characters`);
    check(`${path} without scripts`, tab.problems);
    await tab.page.close();
  }
}

mkdirSync(task.pictures, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: task.browser,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync"],
});
try {
  await validated();
  await eachPage(browser);
  await withoutScripts(browser);
  await searched(browser);
  await played(browser);
  await refused(browser);
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
