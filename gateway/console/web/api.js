// The console's own JSON endpoints. A fault is thrown as it comes: {code, reason, path, remedy}.

export class Fault extends Error {
  constructor(fault) {
    super(fault.remedy);
    Object.assign(this, fault);
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, redirect: "error", credentials: "same-origin" });
  } catch {
    throw new Fault({ code: "UNAVAILABLE", reason: "console.away", path: "", title: "La consola ya no responde",
      remedy: "Se cerró el programa, o esta ventana es de otra vez. Ejecute «enlace console» y abra el enlace que muestra." });
  }
  const answer = await response.json();
  if (!response.ok) throw new Fault(answer.error);
  return answer;
}

export const get = (path) => call(path, {});
export const post = (path, body = {}) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
