// The browsers' side of 97_console_second.sh.
import { WORK, browser_start, console_start, end, equal, findings, picture, promise, settled, window_open } from "./console_lib.mjs";
const browser = await browser_start();
const law = ["--with", `${WORK}/directory`];
const first = await console_start("mpi", ...law);
const second = await console_start("mpi2");
const a = await window_open(browser);
const b = await window_open(browser);

await promise("a request that needs a second signature waits", async () => {
  await a.goto(first.link);
  await settled(a);
  await a.goto(`${first.origin}/solicitud`);
  await a.locator("#que").fill("códigos de vigilancia — SSC");
  await a.keyboard.press("Tab");
  await a.getByText("Necesita una segunda firma").waitFor();
  await a.locator("#dato-identity-alias").fill("Persona Sintética");
  await a.keyboard.press("Control+Enter");
  await a.waitForURL(/bandeja\/[0-9a-f-]{36}/);
  await a.getByText("Espera una segunda firma").first().waitFor();
  await picture(a, "espera-firma");
});
await promise("another official reads and approves it", async () => {
  await b.goto(second.link);
  await settled(b);
  await b.goto(`${second.origin}/bandeja`);
  await b.getByRole("link", { name: "Leer y decidir" }).click();
  await b.getByText("Persona Sintética").waitFor();
  await picture(b, "aprobar");
  equal((await findings(b)).join("\n"), "");
  await b.getByRole("button", { name: "Aprobar con mi firma" }).click();
  await b.getByText("sale ahora").waitFor();
});
await first.stop();
await second.stop();
await browser.close();
end();
