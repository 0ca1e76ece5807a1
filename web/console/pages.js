// What the console has, in the order of its navigation.

const STAFF = ["merchandiser", "operator"];
const OPERATOR = ["operator"];

/** A page: its address, its name, the roles that see it, and its module, whose `show(main)` fills it. */
export const PAGES = [
  { path: "/console/list", title: "Why this list", roles: OPERATOR, load: () => import("./list.js") },
  { path: "/console/live", title: "Live events", roles: OPERATOR, load: () => import("./live.js") },
  { path: "/console/compare", title: "Two lists", roles: OPERATOR, load: () => import("./compare.js") },
  { path: "/console/status", title: "Model and indexes", roles: OPERATOR, load: () => import("./status.js") },
  { path: "/console/item", title: "Item", roles: STAFF, load: () => import("./item.js") },
  { path: "/console/upload", title: "Catalogue upload", roles: STAFF, load: () => import("./upload.js") },
  { path: "/console/behaviour", title: "Behaviour", roles: STAFF, load: () => import("./behaviour.js") },
  { path: "/console/keys", title: "Keys and roles", roles: OPERATOR, load: () => import("./keys.js") },
];

/** The pages that somebody with a role sees. */
export function pagesOf(role) {
  return PAGES.filter((one) => one.roles.includes(role));
}
