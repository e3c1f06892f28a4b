// The browser's side of 90_console.sh.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { BUILD, ROOT, WORK, browser_start, console_start, end, enlace, equal, findings, picture, promise, settled, window_open } from "./console_lib.mjs";

const draft = JSON.parse(readFileSync(`${ROOT}/deploy/demo/solicitud.json`, "utf8"));
function submit(urgency) {
  writeFileSync(`${WORK}/draft.json`, JSON.stringify({ ...draft, urgency }));
  return enlace("mpi", "submit", `${WORK}/draft.json`).message_id;
}
const exchanges = ["urgent", "ordinary", "ordinary", "urgent", "ordinary"].map(submit);

// ---- without a browser: who is kept out ----

function ask(target, path, headers = {}, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${target.origin}${path}`, { method: body === undefined ? "GET" : "POST", headers }, (response) => {
      let text = "";
      response.on("data", (data) => (text += data));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text, reason: response.statusCode >= 400 ? JSON.parse(text).error.reason : "" }));
    });
    request.on("error", reject);
    request.end(body);
  });
}
const enter = (target, token, more = {}) =>
  ask(target, "/api/entrar", { Origin: target.origin, "Content-Type": "application/json", ...more }, JSON.stringify({ token }));

const auditor = await console_start("auditor");
const token = new URL(auditor.link).hash.slice("#entrar=".length);

await promise("a page comes with a policy that shuts everything else out", async () => {
  const { headers, status } = await ask(auditor, "/bitacora");
  equal(status, 200);
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
    if (!headers["content-security-policy"].includes(part)) throw new Error(part);
  equal([headers["x-content-type-options"], headers["cache-control"], headers["referrer-policy"]].join(), "nosniff,no-store,no-referrer");
});
await promise("no page names another host", () => {
  const web = `${ROOT}/gateway/console/web`;
  const found = spawnSync("grep", ["-rnE", "https?:|[a-z]+\\(//", web], { encoding: "utf8" }).stdout.split("\n").filter((line) => line && !line.includes("www.w3.org/2000/svg"));
  equal(found.join("\n"), "");
});
await promise("without a session nothing is told", async () => equal((await ask(auditor, "/api/yo")).reason, "console.session"));
await promise("a name that another site makes point here opens nothing", async () => equal((await ask(auditor, "/", { Host: `evil.example:${new URL(auditor.origin).port}` })).reason, "console.host"));
await promise("a page of another origin is refused", async () => equal((await ask(auditor, "/api/yo", { Origin: "http://evil.example" })).reason, "console.origin"));
await promise("also with the token itself", async () => equal((await enter(auditor, token, { Origin: "http://127.0.0.1:1" })).reason, "console.origin"));
await promise("and a form of a foreign page", async () => equal((await enter(auditor, token, { "Content-Type": "text/plain" })).reason, "console.form"));
await promise("a wrong token is refused", async () => equal((await enter(auditor, token.replace(/.$/, (last) => (last === "0" ? "1" : "0")))).reason, "token.wrong"));
await promise("what is no JSON object is refused", async () => {
  for (const body of ["", "[]", "{", '{"a":1,"a":2}', "\u0000"]) {
    const { reason } = await ask(auditor, "/api/entrar", { Origin: auditor.origin, "Content-Type": "application/json" }, body);
    equal(reason, body === "" ? "token.wrong" : "form.json");
  }
});

// ---- the way in ----

const browser = await browser_start();
const page = await window_open(browser);
const other = await window_open(browser);

await promise("the link opens the console, and leaves the address bar", async () => {
  await page.goto(auditor.link);
  await page.getByRole("heading", { name: "¿Para qué va a leer?" }).waitFor();
  equal(new URL(page.url()).hash, "");
});
await promise("its session is a cookie that no script reads", async () => {
  const [cookie] = await page.context().cookies();
  equal([cookie.httpOnly, cookie.sameSite].join(), "true,Strict");
  equal(await page.evaluate(() => document.cookie), "");
});
await promise("the link opens nothing a second time, and says so in red", async () => {
  await other.goto(auditor.link);
  await other.locator(".notice.bad").waitFor();
  equal(await other.locator(".notice code").textContent(), "token.used");
  await picture(other, "entrada-usada");
});
await promise("a window without session says what to do", async () => {
  await other.goto(`${auditor.origin}/bitacora`);
  await other.getByText("enlace --profile ARCHIVO console").waitFor();
  await picture(other, "entrada");
  equal((await findings(other)).join("\n"), "");
});

// ---- the log ----

const rows = page.locator("tr.one");
const status = page.locator("[role=status]").first();
async function search(text) {
  await page.keyboard.press("/");
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => (url.searchParams.get("q") ?? "") === text);
  await settled(page);
}

await promise("a reader says what for, in a word", async () => {
  await picture(page, "bitacora-proposito");
  await page.locator("#proposito").fill("revision-2026");
  await page.keyboard.press("Enter");
  await rows.first().waitFor();
});
await promise("everything found is proven and counted", async () => {
  await status.getByText("no hay páginas ocultas").waitFor();
  equal(await rows.count(), await rows.locator(".mark").count());
  await picture(page, "bitacora");
  equal((await findings(page)).join("\n"), "");
});
for (const [text, count] of [["agencia:ssc", 5], ["tipo:solicitud", 5], ["agencia:ssc estado:enviada desde:hoy hasta:hoy", 5], ["estado:aceptada", 0],
  ["agencia:pgj", 0], [`folio:${exchanges[2]}`, 1], [exchanges[3], 1], ["hasta:ayer", 0], ["tipo:directorio", 1]])
  await promise(`found by «${text.replace(/[0-9a-f-]{36}/, "…")}»: ${count}`, async () => {
    await search(text);
    equal(await page.locator(".notice[role=alert]").count(), 0);
    equal(await status.locator("strong").first().textContent(), `${count} de ${count}`);
    equal(await rows.count(), count);
  });
await promise("where nothing is found, it says so", async () => {
  await search("estado:en-vigor");
  await page.getByText("Nada con esas señas").waitFor();
  await picture(page, "bitacora-nada");
});
await promise("a mistyped operator is named, with the right one", async () => {
  await search("agensia:ssc");
  await page.getByText("¿quiso decir «agencia:»?").waitFor();
  await picture(page, "bitacora-error");
});
await promise("a record is opened by keyboard: its facts, and why they are believed step by step", async () => {
  await search("agencia:ssc");
  await page.locator("h1").click();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.locator("ol.steps li").nth(4).waitFor();
  equal(await page.locator("ol.steps li.fails").count(), 0);
  equal(await page.locator("ol.steps .disc").count(), 5);
  await page.getByText("Verificado en esta máquina").waitFor();
  equal(await page.locator("details[open]").count(), 0);
  await picture(page, "bitacora-hoja");
  equal((await findings(page)).join("\n"), "");
});
await promise("its address is a permalink", async () => {
  const address = page.url();
  const heading = await page.locator("h1").textContent();
  await page.goto(address);
  await page.locator("ol.steps li").nth(4).waitFor();
  equal(await page.locator("h1").textContent(), heading);
});
await promise("a leaf that is not there is no error of the page", async () => {
  await page.goto(`${auditor.origin}/bitacora/hoja/999999`);
  equal(await page.locator(".notice code").textContent(), "records.no_leaf");
});
await promise("exported as CSV: a line for each", async () => {
  await page.goto(`${auditor.origin}/bitacora?q=agencia:ssc`);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  const text = readFileSync(await file.path(), "utf8").trim().split("\r\n");
  equal(text.length, 6);
  if (!text[1].includes("cdmx/mpi-cdmx,cdmx/ssc")) throw new Error(text[1]);
});
await promise("exported as JSON: each with evidence that verifies without the node", async () => {
  await page.goto(`${auditor.origin}/bitacora?q=agencia:ssc`);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "JSON" }).click()]);
  const said = execFileSync("/usr/bin/python3", [`${ROOT}/tests/path/check_export.py`, await file.path(), `${WORK}/directory.txt`], { encoding: "utf8" });
  equal(said.trim(), "5 records verified");
});
await promise("dark, with the same contrast", async () => {
  await page.goto(`${auditor.origin}/bitacora`);
  await rows.first().waitFor();
  await page.keyboard.press("t");
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  equal((await findings(page)).join("\n"), "");
  await picture(page, "bitacora-oscura");
  await page.keyboard.press("t");
});
await promise("dark from the start where the system is", async () => {
  const dark = await window_open(browser, { colorScheme: "dark" });
  await dark.goto(`${auditor.origin}/`);
  equal(await dark.evaluate(() => document.documentElement.dataset.theme), "dark");
  await dark.context().close();
});
await promise("the shortcuts show themselves", async () => {
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Atajos del teclado").waitFor();
  await picture(page, "atajos");
  await page.keyboard.press("Escape");
});
await promise("on a narrow screen nothing is cut", async () => {
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(`${auditor.origin}/bitacora`);
  await rows.first().waitFor();
  equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await picture(page, "bitacora-angosta");
  await page.setViewportSize({ width: 1280, height: 860 });
});
await promise("on paper the content alone", async () => {
  await page.emulateMedia({ media: "print" });
  equal(await page.locator("#lateral").isVisible(), false);
  await picture(page, "bitacora-papel");
  await page.emulateMedia({ media: "screen" });
});
await promise("the audit is closed, its purpose published, and the page asks anew", async () => {
  await page.getByRole("button", { name: "Cerrarla…" }).click();
  await page.getByRole("button", { name: "Cerrar y publicar el propósito" }).click();
  await page.getByRole("heading", { name: "¿Para qué va a leer?" }).waitFor();
});
await promise("no script of a page failed", () => equal(page.problems.concat(other.problems).join("\n"), ""));
await promise("the console takes less than 40 MB", () => {
  const kib = Number(readFileSync(`/proc/${auditor.pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]);
  console.log(`  console process at its largest: ${(kib / 1024).toFixed(1)} MB`);
  return BUILD.includes("san") || kib < 40 * 1024;
});
await promise("and ends well", async () => equal(await auditor.stop(), 0));

// ---- who may not ----

async function story(who, run) {
  const mine = await console_start(who);
  const view = await window_open(browser);
  try {
    await view.goto(mine.link);
    await run(view, mine);
  } finally {
    await view.context().close();
  }
  return mine.stop();
}

await promise("who may not read this node's log: named, in red", async () => {
  await story("stranger", async (view, mine) => {
    await settled(view);
    await view.goto(`${mine.origin}/bitacora`);
    await view.locator("#proposito").fill("curiosidad");
    await view.keyboard.press("Enter");
    await view.locator(".notice.bad").waitFor();
    equal(await view.locator(".notice.bad code").textContent(), "audit.not_allowed");
    await picture(view, "bitacora-sin-permiso");
  });
});

// ---- a node that lies ----

const lie = (what) => writeFileSync(`${WORK}/lie`, what);

await promise("a tampered answer is red, step by step, and the program ends with 1", async () => {
  const status = await story("deceived", async (view, mine) => {
    await view.locator("#proposito").fill("revision-2026");
    await view.keyboard.press("Enter");
    await view.locator("td.what a").first().waitFor();
    for (const [what, reason] of [["record", "audit.record"], ["path", "audit.not_included"]]) {
      lie(what);
      await view.goto(`${mine.origin}/bitacora`);
      await view.locator(".notice.bad").waitFor();
      equal(await view.locator(".notice.bad code").textContent(), reason);
      equal(await view.locator("tr.one").count(), 0);
      lie("");
      await view.goto(`${mine.origin}/bitacora`);
      await view.locator("td.what a").first().waitFor();
      lie(what);
      await view.goto(`${mine.origin}/bitacora/hoja/1`);
      await view.locator("li.fails").waitFor();
      await view.getByRole("heading", { name: "El nodo muestra lo que no puede probar" }).waitFor();
      equal(await view.locator("dl.facts dt").filter({ hasText: "De" }).count() > 0 && await view.getByText("Los hechos").count(), 0);
      await picture(view, `mentira-${what}`);
    }
    equal((await findings(view)).join("\n"), "");
  });
  equal(status, 1);
});
for (const [what, reason] of [["shorter", "audit.shorter"], ["other", "audit.other_checkpoint"], ["key", "audit.checkpoint"]])
  await promise(`${reason}: red, and the program ends with 1`, async () => {
    const status = await story("deceived", async (view, mine) => {
      lie("");
      await view.goto(`${mine.origin}/bitacora`);
      await view.locator("td.what a").first().waitFor();
      lie(what);
      await view.goto(`${mine.origin}/bitacora`);
      await view.locator(".notice.bad").waitFor();
      equal(await view.locator(".notice.bad code").textContent(), reason);
      await picture(view, `mentira-${what}`);
    });
    equal(status, 1);
  });
await promise("the command line finds it, too, by what was seen before", () => {
  lie("shorter");
  const done = spawnSync(`${BUILD}/bin/enlace`, ["--json", "--profile", `${WORK}/deceived.conf`, "audit", "query", "--audit", `${WORK}/deceived.conf.auditoria`], { encoding: "utf8" });
  lie("");
  equal([done.status, JSON.parse(done.stdout).error.reason].join(), "1,audit.shorter");
});

await browser.close();
end();
