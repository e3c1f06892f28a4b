// What the browser's stories share: the console as a process, the browser, promises counted.
import { spawn, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";

export const { WORK, ROOT, BUILD } = process.env;
const require = createRequire(path.join(ROOT, "tests/interop/package.json"));
const { chromium } = require("playwright-core");
export const AXE = require.resolve("axe-core/axe.min.js");

const FAILURES_MAX = 4; // the others would only wait
let passed = 0;
let failed = 0;

export async function promise(text, check) {
  try {
    const kept = await check();
    if (kept === false) throw new Error("not so");
    passed += 1;
    console.log(`✔ ${text}`);
  } catch (error) {
    failed += 1;
    if (failed === FAILURES_MAX) setTimeout(() => end("too many broken; "));
    console.log(`✖ ${text}\n    ${String(error.stack ?? error).split("\n").slice(0, 8).join("\n    ")}`);
  }
}

export function equal(is, wanted) {
  if (is !== wanted) throw new Error(`${JSON.stringify(is)} instead of ${JSON.stringify(wanted)}`);
}

export function end(why = "") {
  console.log(`${process.argv[1].split("/").at(-1)}: ${why}${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

export const enlace = (who, ...rest) =>
  JSON.parse(execFileSync(`${BUILD}/bin/enlace`, ["--json", "--profile", `${WORK}/${who}.conf`, ...rest], { encoding: "utf8" }));

/** Starts it and waits for its link: {link, origin, pid, stop()}, where stop gives the exit status. */
export function console_start(who, ...rest) {
  const child = spawn(`${BUILD}/bin/enlace`, ["--json", "--profile", `${WORK}/${who}.conf`, "console", "--port", "0", ...rest], { stdio: ["ignore", "pipe", "inherit"] });
  writeFileSync(`${WORK}/pids/console-${child.pid}`, String(child.pid));
  const over = new Promise((resolve) => child.on("exit", (status) => {
    rmSync(`${WORK}/pids/console-${child.pid}`, { force: true });
    resolve(status);
  }));
  let said = "";
  return new Promise((resolve, reject) => {
    over.then(() => reject(new Error(`the console ended: ${said}`)));
    child.stdout.on("data", (data) => {
      said += data;
      const link = said.match(/"link": "(.*)"/)?.[1];
      if (link) resolve({ link, origin: new URL(link).origin, pid: child.pid, said: () => said, stop: () => { child.kill("SIGTERM"); return over; } });
    });
  });
}

export const browser_start = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** A window whose page's own errors are promises broken. */
export async function window_open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "es-MX", acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(process.env.WAIT_MS ?? 30000));
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (line) => line.type() === "error" && !line.text().includes("status of") && page.problems.push(line.text()));
  return page;
}

/** The page that the address names has come whole. */
export const settled = (page) => page.locator("main:not([aria-busy]) > .page").waitFor();

export const picture = async (page, name) => {
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${BUILD}/console/${name}.png`, fullPage: true });
};

/** axe-core's findings of WCAG 2.1 A and AA. */
export async function findings(page) {
  await page.evaluate(await import("node:fs").then((fs) => fs.readFileSync(AXE, "utf8")));
  const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
  return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join("; ")}`);
}
