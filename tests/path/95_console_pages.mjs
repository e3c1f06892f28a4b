// The browser's side of 95_console_pages.sh.
import { readFileSync, writeFileSync } from "node:fs";
import { ROOT, WORK, browser_start, console_start, end, enlace, equal, findings, picture, promise, settled, window_open } from "./console_lib.mjs";

const draft = JSON.parse(readFileSync(`${ROOT}/deploy/demo/solicitud.json`, "utf8"));
function submit(urgency) {
  writeFileSync(`${WORK}/draft.json`, JSON.stringify({ ...draft, urgency }));
  return enlace("mpi", "submit", `${WORK}/draft.json`).message_id;
}

const browser = await browser_start();
async function sit(who, options, ...rest) {
  const target = await console_start(who, ...rest);
  const page = await window_open(browser, options);
  await page.goto(target.link);
  await settled(page);
  return { target, page };
}
const visit = async (page, title) => {
  await page.getByRole("link", { name: title }).click();
  await settled(page);
};
const text = (page) => page.locator("main").innerText();
const has = (all, ...words) => {
  for (const word of words) if (!all.includes(word)) throw new Error(`«${word}» is not in: ${all.slice(0, 1500)}`);
};

// ---- Red ----

submit("ordinary");
const operator = await sit("operator", {}, "--with", `${WORK}/directory`);
await promise("Red shows the node's own figures", async () => {
  await visit(operator.page, "Red");
  has(await text(operator.page), "gw.cdmx/audit/2026", "Otros nodos", "cdmx/ssc", "Textos del directorio", "Disco");
});
await promise("it follows WCAG AA", async () => equal((await findings(operator.page)).join("\n"), ""));
await promise("also in the dark", async () => {
  const dark = await sit("operator", { colorScheme: "dark" });
  await visit(dark.page, "Red");
  equal((await findings(dark.page)).join("\n"), "");
  await picture(dark.page, "red-oscuro");
  await dark.page.context().close();
  await dark.target.stop();
});
await promise("the connection's test goes step by step to the echo", async () => {
  await operator.page.keyboard.press("p");
  await operator.page.getByText("La conexión está bien").waitFor();
  has(await text(operator.page), "TLS 1.3", "eco en");
});
await picture(operator.page, "red");
await promise("a peer that is gone stands first, with what to do", async () => {
  process.kill(Number(process.env.SSC_PID), "SIGKILL");
  submit("urgent");
  for (let tries = 0; ; tries++) {
    await operator.page.reload();
    await settled(operator.page);
    if ((await text(operator.page)).includes("No se alcanza al nodo de cdmx/ssc")) break;
    if (tries > 60) throw new Error(await text(operator.page));
    await operator.page.waitForTimeout(500);
  }
  has(await text(operator.page), "Llame a quien opera ese nodo", "no se alcanza");
  await picture(operator.page, "red-caido");
});
await promise("a partner's system may not see the figures, and still has the test", async () => {
  const system = await sit("mpi");
  await visit(system.page, "Red");
  has(await text(system.page), "audit.not_allowed");
  await system.page.keyboard.press("p");
  await system.page.getByText("La conexión está bien").waitFor();
  await system.page.context().close();
  await system.target.stop();
});
await promise("a test that fails says where", async () => {
  const lost = await sit("ssc");
  await visit(lost.page, "Red");
  await lost.page.keyboard.press("p");
  await lost.page.getByText("Aquí se rompe").waitFor();
  has(await text(lost.page), "no contesta", "llame a quien lo opera");
  await picture(lost.page, "red-prueba");
  await lost.page.context().close();
  await lost.target.stop();
});

await promise("no page had an error of its own", () => equal(operator.page.problems.join("\n"), ""));
await promise("the console ends well", async () => equal(await operator.target.stop(), 0));
await browser.close();
end();
