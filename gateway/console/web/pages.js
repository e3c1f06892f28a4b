// The pages, in the order of the menu, and whose menu has them (me: /api/yo). A module
// gives show(place, {path, query, me, go}).

export const PAGES = [
  { path: "/bandeja", title: "Bandeja", key: "i", isFor: (me) => me.system, load: () => import("./inbox.js") },
  { path: "/solicitud", title: "Nueva solicitud", key: "n", isFor: (me) => me.system, load: () => import("./request.js") },
  { path: "/plazos", title: "Plazos", key: "p", isFor: (me) => me.reader?.kind !== "auditor", load: () => import("./board.js") },
  { path: "/bitacora", title: "Bitácora", key: "b", load: () => import("./records.js") },
  { path: "/red", title: "Red", key: "r", load: () => import("./network.js") },
  { path: "/informes", title: "Informes", key: "f", load: () => import("./reports.js") },
  { path: "/directorio", title: "Directorio", key: "d", load: () => import("./directory.js") },
];

/** Those that this reader has. */
export const pagesFor = (me) => PAGES.filter((page) => page.isFor?.(me) ?? true);

export const pageOf = (path) => PAGES.find((page) => path === page.path || path.startsWith(`${page.path}/`));
