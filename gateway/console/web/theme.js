// Light or dark: the system's choice until the reader makes one, which stays in this browser.

const KEY = "enlace-tema";
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => localStorage.getItem(KEY);
export const isDark = () => (chosen() ?? (system.matches ? "dark" : "light")) === "dark";

function apply() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
}

export function begin() {
  system.addEventListener("change", apply);
  apply();
}

export function turn() {
  localStorage.setItem(KEY, isDark() ? "light" : "dark");
  apply();
}
