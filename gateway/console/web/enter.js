// The way in: the token from the link's fragment, once. It leaves the address bar at once.

import { faultNotice, h, show } from "./dom.js";
import { post } from "./api.js";

const PREFIX = "#entrar=";

/** True when there is a session afterwards; false: the page says why not. */
export async function enter(place) {
  if (!location.hash.startsWith(PREFIX)) return true;
  const token = location.hash.slice(PREFIX.length);
  history.replaceState(null, "", location.pathname);
  try {
    await post("/api/entrar", { token });
    return true;
  } catch (fault) {
    shut(place, fault);
    return false;
  }
}

export function shut(place, fault) {
  document.title = "Entrar · Enlace";
  show(place, h("div.entrance", h("div.sheet",
    h("div.brand", h("img", { src: "/icon.svg", alt: "" }), "Enlace"),
    h("h1.hidden", "Entrar a la consola"),
    fault.reason === "console.session" ? null : faultNotice(fault),
    h("p", "Esta página se abre con un enlace que la terminal muestra y que sirve una sola vez. En la terminal, ejecute:"),
    h("pre", "enlace --profile ARCHIVO console"),
    h("p.soft", "Nada de lo que vea aquí sale de esta máquina: la consola habla con su nodo con su propio certificado y comprueba cada prueba antes de mostrarle una marca."))));
}
