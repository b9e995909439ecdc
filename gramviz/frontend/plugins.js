// Parts that other packages bring (`gram.plugins`). `gramviz/explorer/link.py` writes them into the list below when the
// page is linked; as it stands here there are none.

/** @type {[import("./registry.js").CreatePart, string?][]} */
export const PLUGINS = [];
