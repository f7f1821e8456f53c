// The HTML report in a real browser: what a person sees, clicks and types.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { chromium } from "playwright-core";

let browser;
let page;
let complaints;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(async () => browser?.close());

beforeEach(async () => {
  complaints = [];
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => request.url().startsWith("file:") || complaints.push(`asked for ${request.url()}`));
  await page.goto(pathToFileURL(process.env.REPORT).href);
});

const shot = (name) => page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
const selected = (list) => page.locator(`#${list} .row[aria-selected=true]`);

test("it opens with the failed run, its finding pinned, and no complaint", async () => {
  assert.match(await page.locator("#counts").innerText(), /\d+ passed 2 failed cosell/);
  assert.match(await selected("runs").innerText(), /fails & says so/);
  assert.match(await page.locator("#about .finding").first().innerText(), /expected\s+1 USD\s+actual\s+50000 USD/);
  assert.ok((await selected("events").getAttribute("class")).includes("pinned"));
  await shot("light");
  assert.deepEqual(complaints, []);
});

test("markup in values is shown and never carried out", async () => {
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator("img").count(), 0);
  assert.match(await page.locator("#about h2").innerText(), /^<img src=x onerror=window\.hacked=1>/);
  assert.match(await page.locator("#side").innerText(), /<\/script><script>window\.hacked=1<\/script>/);
  assert.deepEqual(complaints, []);
});

test("the timeline stands in three lanes from Partner Center to the CRM", async () => {
  await page.locator("#reads").check();
  await page.locator("#events").focus();
  await page.keyboard.press("Home");
  // In one go: the list draws its rows anew whenever it moves.
  const edges = await page.evaluate(() => {
    const box = (lane) => document.querySelector(`#events .l-${lane} > span`).getBoundingClientRect();
    return { pc: [box("pc").left, box("pc").right], crm: [box("crmcall").left, box("crmcall").right] };
  });
  assert.ok(edges.pc[0] < edges.crm[0] && edges.crm[1] > edges.pc[1], JSON.stringify(edges));
});

test("both records of the deal change with the chosen moment, with differences marked", async () => {
  await page.locator("#filter").fill("value follows salesforce");
  const words = async () => page.locator("#side table").first().innerText();
  await page.locator("#events").focus();
  await page.keyboard.press("End");
  const last = await words();
  assert.match(last, /value\s+75000\.50 USD\s+75000\.50 USD/);
  assert.equal(await page.locator("#side tr.differs").count(), 0);
  const row = page.locator("#events .row", { hasText: "updated by partner" }).first();
  await row.scrollIntoViewIfNeeded();
  await row.click();
  const between = await words();
  assert.match(between, /≠ value\s+75000\.50 USD\s+60000 USD/);
  assert.ok((await page.locator("#side tr.differs").count()) >= 1);
  await shot("records");
});

test("an exchange shows its request and its response, without secrets", async () => {
  await page.locator("#reads").check();
  await page.locator("#events .row.l-crmcall").first().click();
  const text = await page.locator("#side").innerText();
  assert.match(text, /request/i);
  assert.match(text, /response/i);
  assert.match(text, /authorization: Bearer …/i);
});

test("it can be used with the keyboard alone", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("leak dynamics");
  await page.keyboard.press("Enter");
  const first = await selected("runs").innerText();
  assert.match(first, /dynamics/);
  await page.keyboard.press("/");
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await selected("runs").innerText(), first);
  await page.keyboard.press("Home");
  await page.keyboard.press("Tab");
  const focused = await page.evaluate(() => document.activeElement.className);
  assert.equal(focused, "finding");
  await page.locator("#events").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("n");
  assert.ok((await selected("events").getAttribute("class")).includes("pinned"));
  const reads = await page.locator("#reads").isChecked();
  await page.keyboard.press("r");
  assert.notEqual(await page.locator("#reads").isChecked(), reads);
});

test("dark and light follow the system, with readable contrast", async () => {
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/\d+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const backs = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const style = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body);
      return { color, backgroundColor };
    });
    const [one, other] = [luminance(style.color), luminance(style.backgroundColor)].sort((a, b) => b - a);
    assert.ok((one + 0.05) / (other + 0.05) >= 7, `${colorScheme}: ${JSON.stringify(style)}`);
    backs.push(style.backgroundColor);
    await shot(colorScheme);
  }
  assert.notEqual(backs[0], backs[1]);
});

test("ten thousand events and five thousand runs draw only the rows in sight", async () => {
  const drawn = await page.evaluate(() => {
    const events = Array.from({ length: 10000 }, (_, at) => ({ at: at * 1000, lane: "crm", kind: "commit", text: `event ${at}`, blocks: [["row", at]] }));
    const texts = events.map((_, at) => `text ${at}`);
    for (let number = 0; number < 5000; number += 1) {
      addRun({ title: `run ${number}`, path: "many", crm: "salesforce", seed: 1, outcome: "passed", note: "", lasts: "1h", command: "", findings: [], refused: [], words: "", story: [], timeline: { events, standings: [], texts } });
    }
    filterRuns();
    show(runs[runs.length - 1]);
    return [document.querySelectorAll("#events .row").length, document.querySelectorAll("#runs .row").length];
  });
  assert.ok(drawn.every((count) => count > 5 && count < 120), `${drawn}`);
  await page.locator("#events").focus();
  await page.keyboard.press("End");
  assert.match(await selected("events").innerText(), /event 9999/);
  assert.match(await page.locator("#side").innerText(), /text 9999/);
  await shot("many");
  assert.deepEqual(complaints, []);
});

test("a narrow screen still shows everything", async () => {
  await page.setViewportSize({ width: 600, height: 900 });
  assert.ok(await page.locator("#events").isVisible());
  assert.ok(await page.locator("#side").isVisible());
  await shot("narrow");
});
