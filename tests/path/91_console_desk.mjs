// The browsers' side of 91_console_desk.sh.
import { readFileSync, writeFileSync } from "node:fs";
import { WORK, browser_start, console_start, end, equal, findings, picture, promise, settled, window_open } from "./console_lib.mjs";

const browser = await browser_start();
const law = ["--with", `${WORK}/directory`, "--seals", `${WORK}/seals`];
const mpi = await console_start("mpi", ...law);
const ssc = await console_start("ssc", ...law);
const asks = await window_open(browser);
const does = await window_open(browser);
const clean = async (page) => equal((await findings(page)).join("\n"), "");

await promise("an official's console opens with the inbox, empty and saying so", async () => {
  await asks.goto(mpi.link);
  await asks.getByText("Todavía no ha pedido nada desde esta consola.").waitFor();
  await picture(asks, "bandeja-vacia");
  await clean(asks);
  await does.goto(ssc.link);
  await does.getByText("Nada espera respuesta.").waitFor();
});

await promise("an urgent request by keyboard alone, in under a minute", async () => {
  const began = Date.now();
  await asks.keyboard.press("u");
  await asks.waitForURL(/solicitud\?urgente=1/);
  await settled(asks);
  await asks.keyboard.type("vigilancia ssc");
  await asks.keyboard.press("Tab");
  await asks.locator("#urgente").waitFor();
  equal(await asks.locator("#urgente").isChecked(), true);
  await picture(asks, "solicitud");
  while (!(await asks.evaluate(() => document.activeElement.id === "dato-identity-alias"))) await asks.keyboard.press("Tab");
  await asks.keyboard.type("Persona Sintética");
  while (!(await asks.evaluate(() => document.activeElement.id === "dato-contact-code_word"))) await asks.keyboard.press("Tab");
  await asks.keyboard.type("azul");
  while (!(await asks.evaluate(() => document.activeElement.id === "dato-location-alcaldia"))) await asks.keyboard.press("Tab");
  await asks.keyboard.type("09015");
  await picture(asks, "solicitud-llena");
  await asks.keyboard.press("Control+Enter");
  await asks.waitForURL(/bandeja\/[0-9a-f-]{36}/);
  await asks.getByText("verificado en esta máquina").first().waitFor();
  console.log(`  from the first key to the verified receipt: ${((Date.now() - began) / 1000).toFixed(1)} s of the browser's time`);
  if (Date.now() - began > 60000) throw new Error("more than a minute");
  await picture(asks, "intercambio-enviado");
  await clean(asks);
});
const id = asks.url().split("/").at(-1);

await promise("it comes to the other institution's inbox by itself, urgent first, with its clock", async () => {
  await does.locator("td.what a").first().waitFor();
  await does.locator(".tag.bad", { hasText: "urgente" }).first().waitFor();
  await picture(does, "bandeja");
  await clean(does);
});
await promise("opened by keyboard, with what was sealed to it", async () => {
  await does.locator("h1").click();
  await does.keyboard.press("j");
  await does.keyboard.press("Enter");
  await does.getByText("Persona Sintética").waitFor();
  await does.getByText("Cuauhtémoc (09015)").waitFor();
  await picture(does, "intercambio");
  await clean(does);
});
await promise("accepted by keyboard, signed by the official", async () => {
  await does.keyboard.press("a");
  await does.getByRole("button", { name: "Firmar y enviar" }).waitFor();
  await picture(does, "aceptar");
  await does.keyboard.press("Enter");
  await does.locator("td", { hasText: /^Aceptada$/ }).waitFor();
});
await promise("in force needs its evidence, of which the digest travels", async () => {
  writeFileSync(`${WORK}/oficio.txt`, "evidencia sintética");
  await does.keyboard.press("v");
  await does.locator("#evidencia").setInputFiles(`${WORK}/oficio.txt`);
  await does.getByRole("button", { name: "Firmar y enviar" }).click();
  await does.locator("td", { hasText: /^En vigor$/ }).waitFor();
});
await promise("whoever asked reads it as news, and in the exchange's state", async () => {
  await asks.goto(`${mpi.origin}/bandeja`);
  await asks.locator("ul.news").getByText("En vigor").waitFor();
  await picture(asks, "bandeja-novedades");
  await asks.locator("td.what a").first().click();
  await asks.locator("td", { hasText: /^En vigor$/ }).waitFor();
  await asks.locator("ol.steps .disc").nth(1).waitFor();
  equal(await asks.locator("li.fails").count(), 0);
  await picture(asks, "intercambio-en-vigor");
});
await promise("confirmed by who asked", async () => {
  await asks.keyboard.press("c");
  await asks.keyboard.press("Enter");
  await asks.getByText("Quedó asentado").waitFor();
});

await promise("the board: what is due, by urgency, with how much time is gone", async () => {
  await does.goto(`${ssc.origin}/plazos`);
  await does.getByText("Todo lo enviado llegó").waitFor();
  await settled(does);
  await picture(does, "plazos");
  await clean(does);
});
await promise("one exchange as both logs tell it, hop by hop", async () => {
  await asks.goto(`${mpi.origin}/plazos/${id}`);
  await asks.locator("ol.line li").nth(3).waitFor();
  await asks.getByText("Dónde está").waitFor();
  await picture(asks, "linea");
  await clean(asks);
});
await promise("the directory as a matrix, each route in full", async () => {
  await asks.goto(`${mpi.origin}/directorio`);
  await asks.getByRole("button", { name: /^MPI CDMX a SSC/ }).click();
  await asks.getByRole("heading", { name: "mpi-ssc-medidas" }).waitFor();
  await picture(asks, "directorio");
  await clean(asks);
});

await promise("a report asks first what for", async () => {
  await asks.goto(`${mpi.origin}/informes`);
  await asks.getByText("Antes, diga para qué").waitFor();
  await asks.goto(`${mpi.origin}/bitacora`);
  await asks.locator("#proposito").fill("informe-anual");
  await asks.keyboard.press("Enter");
  await asks.locator("tr.one").first().waitFor();
});
await promise("the year's figures and times, with small cells kept back until they are asked for", async () => {
  await asks.goto(`${mpi.origin}/informes`);
  await asks.getByRole("button", { name: "Contar" }).click();
  const row = asks.locator("tr", { hasText: "SSC" });
  await row.getByText("menos de 5", { exact: true }).waitFor();
  equal(await row.locator("circle").count(), 0);
  await clean(asks);
  await asks.locator("#chicas").check();
  await row.getByText(/min \/ /).first().waitFor();
  equal(await row.locator("circle").count(), 2);
  await picture(asks, "informes");
});

await promise("what the directory does not allow is shown before it is sent", async () => {
  await asks.goto(`${mpi.origin}/solicitud`);
  await asks.locator("#que").fill("numeros de emergencia c5");
  await asks.keyboard.press("Tab");
  await asks.getByRole("button", { name: "Revisar antes de enviar" }).click();
  await asks.getByRole("heading", { name: /El directorio/ }).waitFor();
  await picture(asks, "solicitud-revisada");
  await clean(asks);
});
await promise("a node's refusal names what to do, and nothing is lost of the form", async () => {
  await asks.goto(`${mpi.origin}/solicitud`);
  await asks.locator("#que").fill("numeros de emergencia c5");
  await asks.keyboard.press("Tab");
  await asks.locator("#referencia").fill("una referencia con\u00f1 demasiado rara: ✔");
  await asks.getByRole("button", { name: /^Enviar/ }).click();
  await asks.locator(".notice[role=alert]").waitFor();
  equal(await asks.locator("#referencia").inputValue(), "una referencia con\u00f1 demasiado rara: ✔");
  await picture(asks, "solicitud-rehusada");
});
await promise("another is declined, with its reason", async () => {
  await asks.goto(`${mpi.origin}/solicitud`);
  await asks.locator("#que").fill("códigos de vigilancia — SSC");
  await asks.keyboard.press("Tab");
  await asks.locator("#dato-identity-alias").fill("Otra Persona Sintética");
  await asks.getByRole("button", { name: /^Enviar/ }).click();
  await asks.waitForURL(/bandeja\/[0-9a-f-]{36}/);
  const other = asks.url().split("/").at(-1);
  await does.goto(`${ssc.origin}/bandeja`);
  await does.locator(`a[href="/bandeja/${other}"]`).first().click();
  await does.getByRole("button", { name: /^Declinar/ }).click();
  await does.locator("#motivo").fill("no-competente");
  await does.locator("#competente").fill("cdmx/c5");
  await does.getByRole("button", { name: "Firmar y enviar" }).click();
  await does.locator("td", { hasText: /^Declinada$/ }).waitFor();
});
await promise("an auditor has no inbox, and the page says which profile has one", async () => {
  const auditor = await console_start("auditor");
  const view = await window_open(browser);
  await view.goto(auditor.link);
  await settled(view);
  equal(await view.getByRole("link", { name: "Bandeja" }).count(), 0);
  await view.goto(`${auditor.origin}/bandeja`);
  equal(await view.locator(".notice code").textContent(), "profile.system");
  await view.context().close();
  await auditor.stop();
});
await promise("no script of a page failed", () => equal(asks.problems.concat(does.problems).join("\n"), ""));
await promise("both end well, and open again with all that they had", async () => {
  equal(await mpi.stop(), 0);
  equal(await ssc.stop(), 0);
  const again = await console_start("ssc", ...law);
  const view = await window_open(browser);
  await view.goto(again.link);
  await view.locator(`a[href="/bandeja/${id}"]`).first().waitFor();
  equal(await again.stop(), 0);
});

// ---- the other node is away ----

const mpi2 = await console_start("mpi", ...law);
await promise("with the other node away, a request is kept, and the board says since when it waits", async () => {
  process.kill(Number(readFileSync(`${WORK}/node/ssc/pid`, "utf8")), "SIGKILL");
  const view = await window_open(browser);
  await view.goto(mpi2.link);
  await settled(view);
  await view.goto(`${mpi2.origin}/solicitud`);
  await view.locator("#que").fill("códigos de vigilancia — SSC");
  await view.keyboard.press("Tab");
  await view.locator("#urgente").check();
  await view.locator("#dato-identity-alias").fill("Tercera Persona Sintética");
  await view.keyboard.press("Control+Enter");
  await view.waitForURL(/bandeja\/[0-9a-f-]{36}/);
  await view.goto(`${mpi2.origin}/plazos`);
  await view.getByRole("heading", { name: /^Sin entregar desde hace/ }).waitFor();
  await picture(view, "plazos-sin-entregar");
  await clean(view);
});
await mpi2.stop();

await browser.close();
end();
