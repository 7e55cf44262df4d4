// Draws the images of a form, and asks the kernel to remove or move them. What the list holds, and in
// which order, is the kernel's to say (`items`). The messages are described in image_list.py.

const PATIENCE = 1500; // ms until a wish that nothing came of is said to wait for the kernel
const MARKS = ["astria-before", "astria-after"];

function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  const { attributes = {}, ...properties } = options;
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Keeps the pictures of one widget for all its views, and asks for those that came before this page. */
function createPictures(model, changed) {
  const urls = new Map(); // by id; null for one that cannot be shown
  const drop = (id) => {
    if (urls.get(id)) URL.revokeObjectURL(urls.get(id));
    urls.delete(id);
  };
  model.on("msg:custom", (message, buffers) => {
    if (message.kind !== "picture") return;
    drop(message.id);
    const blob = buffers.length ? new Blob([buffers[0]], { type: "image/jpeg" }) : null;
    urls.set(message.id, blob && URL.createObjectURL(blob));
    changed();
  });
  model.on("change:items", () => {
    const ids = new Set(model.get("items").map((each) => each.id));
    [...urls.keys()].filter((id) => !ids.has(id)).forEach(drop);
  });
  if (model.get("items").length) model.send({ kind: "want" });
  return { get: (id) => urls.get(id), close: () => [...urls.keys()].forEach(drop) };
}

/** What is to be said of an image: the gist, and the rest of the sentence for who turns to its tile. */
function createBadge(text) {
  const [gist] = text.split(/: |(?<=\))\. /, 1);
  const rest = make("span", { textContent: text.slice(gist.length), className: "astria-rest" });
  return make("div", { className: "astria-badge", title: text }, gist, rest);
}

/** One image: its picture, what is known of it, and what can be done with it. */
function createTile(act) {
  const picture = make("div", { className: "astria-picture" });
  const caption = make("div", { className: "astria-caption" });
  const buttons = ["Earlier", "Later", "Remove"].map((word) =>
    make("button", { type: "button", textContent: word, className: `astria-${word.toLowerCase()}` }),
  );
  const actions = make("div", { className: "astria-actions" }, ...buttons);
  const tile = make("div", { className: "astria-tile", draggable: true, attributes: { role: "group" } });
  tile.append(picture, caption, actions);
  const element = make("li", {}, tile);
  let shown;
  for (const button of buttons) {
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") act(button.textContent);
    });
  }
  function update(item, at, count, url, isCurrent) {
    tile.dataset.id = item.id;
    tile.setAttribute("aria-label", [item.name, item.detail, ...item.badges, `${at + 1} of ${count}`].join(", "));
    for (const each of [tile, ...buttons]) each.tabIndex = isCurrent ? 0 : -1;
    for (const button of buttons) button.setAttribute("aria-label", `${button.textContent}: ${item.name}`);
    buttons[0].setAttribute("aria-disabled", String(at === 0));
    buttons[1].setAttribute("aria-disabled", String(at === count - 1));
    caption.replaceChildren(
      make("div", { textContent: item.name, title: item.name }),
      make("div", { textContent: item.detail, className: "astria-detail" }),
      ...item.badges.map(createBadge),
    );
    if (url === shown && picture.hasChildNodes()) return;
    shown = url;
    const text = url === null ? "no picture" : "";
    picture.replaceChildren(
      url ? make("img", { src: url, alt: "", draggable: false }) : make("span", { textContent: text }),
    );
  }
  return { element, tile, update };
}

function render({ model, el }, pictures, views) {
  const summary = make("span", { className: "astria-images-summary" });
  const [same, all] = [1, 2].map(() => make("button", { type: "button" }));
  const buttons = make("div", { className: "astria-images-buttons" }, same, all);
  const head = make("div", { className: "astria-images-head" }, summary, buttons);
  const list = make("ol", { className: "astria-tiles", attributes: { "aria-label": "Images, in the order of sending" } });
  const status = make("div", { className: "astria-images-spoken", attributes: { role: "status" } });
  const root = make("div", { className: "astria-images" }, head, list, status);
  // A letter pressed in here is not for the notebook, which would cut the cell or add another.
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  el.append(root);
  const tiles = new Map();
  let [current, dragged, target, moved] = [null, null, null, null]; // ids
  let [waiting, isLate] = [0, false];
  const ids = () => model.get("items").map((each) => each.id);

  function wish(message) {
    model.send(message);
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      isLate = true;
      show();
    }, PATIENCE);
  }
  function move(id, before) {
    const order = ids();
    if (before === id || order[order.indexOf(id) + 1] === (before ?? undefined)) return;
    moved = id;
    wish({ kind: "move", id, before });
  }
  function step(id, by) {
    const order = ids().filter((each) => each !== id);
    const at = ids().indexOf(id) + by;
    if (at >= 0 && at <= order.length) move(id, order[at] ?? null);
  }
  function remove(id) {
    const order = ids();
    const at = order.indexOf(id);
    current = order[at + 1] ?? order[at - 1] ?? null;
    if (tiles.get(id).element.contains(document.activeElement)) focus(current);
    wish({ kind: "remove", ids: [id] });
  }
  function focus(id) {
    if (id !== null) tiles.get(id)?.tile.focus();
    else el.closest(".astria-form")?.querySelector(".astria-drop-input")?.focus();
  }
  const acts = { Earlier: (id) => step(id, -1), Later: (id) => step(id, 1), Remove: remove };

  function show() {
    const items = model.get("items");
    const order = items.map((each) => each.id);
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    for (const [id, each] of tiles) {
      if (!order.includes(id)) {
        each.element.remove();
        tiles.delete(id);
      }
    }
    if (!order.includes(current)) current = order[0] ?? null;
    for (const [at, item] of items.entries()) {
      if (!tiles.has(item.id)) tiles.set(item.id, createTile((word) => acts[word](item.id)));
      const { element, update } = tiles.get(item.id);
      update(item, at, items.length, pictures.get(item.id), item.id === current);
      if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    }
    if (focused && focused !== document.activeElement) focused.focus(); // lost when its tile moved
    summary.textContent = model.get("summary") + (isLate ? " · waiting for the kernel" : "");
    const copies = model.get("duplicates");
    same.textContent = copies === 1 ? "Remove duplicate" : `Remove ${copies} duplicates`;
    same.hidden = !copies;
    all.textContent = "Remove all";
    all.hidden = items.length < 2;
    list.hidden = !items.length;
  }
  function changed() {
    clearTimeout(waiting);
    isLate = false;
    const items = model.get("items");
    const at = items.findIndex((each) => each.id === moved);
    if (at >= 0) status.textContent = `${items[at].name} is now ${at + 1} of ${items.length}`;
    moved = null;
    show();
  }

  same.addEventListener("click", () => wish({ kind: "remove_duplicates" }));
  all.addEventListener("click", () => {
    focus(null);
    wish({ kind: "remove", ids: ids() });
  });
  list.addEventListener("focusin", (event) => {
    const id = event.target.closest(".astria-tile")?.dataset.id;
    if (id === undefined || id === current) return;
    current = id;
    show();
  });
  list.addEventListener("keydown", (event) => {
    const id = event.target.dataset.id; // of a tile; a button has none
    const order = ids();
    const at = order.indexOf(id);
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const to = { Home: 0, End: order.length - 1 }[event.key];
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (by && event.shiftKey) step(id, by);
    else if (by || to !== undefined) focus(order[to ?? at + by] ?? id);
    else if (event.key === "Delete") remove(id);
    else return;
    event.preventDefault();
  });

  const mark = (tile, name) => {
    for (const each of tiles.values()) each.tile.classList.remove(...MARKS);
    tile?.classList.add(name);
  };
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.dataset?.id ?? null;
    if (dragged === null) return;
    event.dataTransfer.setData("application/x-astria-image", dragged);
    event.dataTransfer.effectAllowed = "move";
    tiles.get(dragged).tile.classList.add("astria-dragged");
  });
  list.addEventListener("dragover", (event) => {
    if (dragged === null) return;
    event.preventDefault();
    const tile = event.target.closest(".astria-tile");
    if (!tile) return; // between two: where it was last
    const { left, width } = tile.getBoundingClientRect();
    const isBefore = event.clientX < left + width / 2;
    const order = ids();
    target = isBefore ? tile.dataset.id : (order[order.indexOf(tile.dataset.id) + 1] ?? null);
    mark(tile, MARKS[isBefore ? 0 : 1]);
  });
  list.addEventListener("drop", (event) => {
    if (dragged === null) return;
    event.preventDefault();
    move(dragged, target);
  });
  list.addEventListener("dragend", () => {
    tiles.get(dragged)?.tile.classList.remove("astria-dragged");
    mark(null);
    dragged = null;
  });

  model.on("change:items", changed);
  model.on("change:summary", show);
  model.on("change:duplicates", show);
  views.add(show);
  show();
  return () => {
    clearTimeout(waiting);
    views.delete(show);
  };
}

// A function, so that all views of one widget share the pictures.
export default () => {
  const views = new Set();
  let pictures;
  return {
    initialize({ model }) {
      pictures = createPictures(model, () => views.forEach((show) => show()));
      return () => pictures.close();
    },
    render: (context) => render(context, pictures, views),
  };
};
