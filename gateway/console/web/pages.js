// The pages, in the order of the menu. A module gives show(place, path, query) and may give keys.

export const PAGES = [
  { path: "/bitacora", title: "Bitácora", key: "b", load: () => import("./records.js") },
  { path: "/red", title: "Red", key: "r", load: () => import("./network.js") },
];

export const pageOf = (path) => PAGES.find((page) => path === page.path || path.startsWith(`${page.path}/`));
