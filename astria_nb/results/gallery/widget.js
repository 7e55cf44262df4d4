// The pictures of tunes in a grid, of which one is enlarged at a time. The kernel holds what is true and
// fetches the pictures; text reaches the page through textContent only, pictures as bytes that it sends.

const PAUSE = 100; // milliseconds between two questions for what has come into view
const NEAR = "240px 0px"; // what is so close to being seen is asked for as well
const LARGE_KEPT = 8; // large pictures

function make(tag, className, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function makeButton(text, clicked) {
  const button = make("button", "jupyter-button widget-button astria-pictures-button", { type: "button" });
  button.textContent = text;
  button.addEventListener("click", clicked);
  return button;
}

const address = (bytes, type = "image/jpeg") => URL.createObjectURL(new Blob([bytes], { type }));
const isWeb = (url) => /^https?:\/\//i.test(url);
// Every prompt begins with the tune that it uses; below a small picture there is no room to say it again.
const caption = (text) => text.replace(/^(\s*<lora:[\w.:-]*>)+\s*/, "") || text;

/** Tells which part of the page is in sight: in VS Code and Colab it is a frame as high as all that is in it. */
function lookAround(told) {
  if (window === window.top) {
    told();
    return;
  }
  const watch = new IntersectionObserver(([{ intersectionRect: seen }]) => {
    watch.disconnect();
    told(seen);
  });
  watch.observe(document.documentElement);
}

/** One picture in the grid, or a prompt that failed and has none. */
class Tile {
  constructor(gallery, key, picture) {
    this.key = key;
    this.picture = picture;
    this.node = make("div", "astria-pictures-tile", { role: "listitem" });
    this.text = make("div", "astria-pictures-text");
    if (picture) this.buildPicture(gallery);
    else this.buildFailure();
    this.node.tile = this;
  }

  buildPicture(gallery) {
    this.frame = make("button", "astria-pictures-frame", { type: "button", tabindex: "-1" });
    this.frame.addEventListener("click", () => gallery.overlay.open(this));
    this.like = makeButton("Like", () => gallery.like(this.key));
    this.like.tabIndex = -1;
    this.node.append(this.frame, this.text, this.like);
  }

  buildFailure() {
    this.node.classList.add("astria-pictures-failed");
    this.node.tabIndex = -1;
    this.error = make("div", "astria-pictures-error");
    const word = make("strong", "");
    word.textContent = "Failed";
    this.node.append(make("div", "astria-pictures-frame", {}, word, this.error), this.text);
  }

  get focusable() {
    return this.frame ?? this.node;
  }

  fill(card) {
    this.card = card;
    this.text.textContent = caption(card.text);
    this.text.title = card.text;
    if (this.frame) this.frame.setAttribute("aria-label", `Enlarge: ${card.text}`);
    else this.error.textContent = card.error;
  }

  paint(bytes) {
    this.forget();
    this.isMissed = false;
    this.address = address(bytes);
    const picture = make("img", "", { alt: this.card.text, decoding: "async" });
    picture.src = this.address;
    this.frame.replaceChildren(picture);
  }

  miss() {
    this.isMissed = true;
    this.frame.textContent = "no picture";
  }

  forget() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = undefined;
  }
}

/** The picture that is enlarged, before everything else on the page. */
class Overlay {
  constructor(gallery) {
    this.gallery = gallery;
    this.known = new Map(); // addresses of large pictures, those seen last behind
    this.place = make("span", "astria-pictures-place", { role: "status" });
    this.image = make("img", "astria-pictures-large");
    this.note = make("div", "astria-pictures-note", { role: "status" });
    this.text = make("p", "astria-pictures-whole");
    this.like = makeButton("Like", () => gallery.like(this.tile.key));
    this.link = make("a", "", { target: "_blank", rel: "noopener noreferrer" });
    this.link.textContent = "Open the original";
    this.problem = make("div", "astria-pictures-error", { role: "alert" });
    const bar = make(
      "div",
      "astria-pictures-bar",
      {},
      makeButton("Previous", () => this.move(-1)),
      makeButton("Next", () => this.move(1)),
      this.place,
      this.like,
      makeButton("Close", () => this.dialog.close()),
    );
    const foot = make("div", "astria-pictures-bar", {}, this.text, this.link);
    const stage = make("div", "astria-pictures-stage", {}, this.image, this.note);
    this.dialog = make("dialog", "astria-pictures-overlay", { tabindex: "-1", autofocus: "" }, bar);
    this.dialog.append(this.problem, stage, foot);
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // beside it
    });
    this.dialog.addEventListener("close", () => this.closed());
  }

  get tiles() {
    return this.gallery.tilesInOrder().filter((each) => each.picture);
  }

  open(tile) {
    this.show(tile);
    lookAround((seen) => {
      if (this.tile !== tile || this.dialog.open) return;
      if (seen?.height) {
        this.dialog.style.setProperty("--astria-seen-from", `${seen.top}px`);
        this.dialog.style.setProperty("--astria-seen", `${seen.height}px`);
      }
      this.dialog.showModal();
      this.dialog.focus();
    });
  }

  show(tile) {
    this.tile = tile;
    this.note.textContent = this.problem.textContent = "";
    const { card, picture } = tile;
    const large = this.known.get(picture.id);
    this.image.hidden = !(large ?? tile.address);
    this.image.alt = card.text;
    this.image.src = large ?? tile.address ?? "";
    this.image.classList.toggle("astria-pictures-coming", !large);
    this.text.textContent = card.text;
    this.link.hidden = !isWeb(picture.url);
    if (!this.link.hidden) this.link.href = picture.url;
    if (!large) {
      this.note.textContent = "Loading";
      this.gallery.model.send({ kind: "enlarge", id: picture.id });
    }
    this.count();
    this.gallery.markLikes(card.id);
  }

  count() {
    if (!this.tile) return;
    const text = `${this.tiles.indexOf(this.tile) + 1} of ${this.tiles.length}`;
    if (this.place.textContent !== text) this.place.textContent = text;
    this.dialog.setAttribute("aria-label", `Picture ${text}`);
  }

  heard({ id, media_type, problem }, bytes) {
    if (bytes && !this.known.has(id)) {
      this.known.set(id, address(bytes, media_type));
      while (this.known.size > LARGE_KEPT) this.forget(this.known.keys().next().value);
    }
    if (this.tile?.picture.id !== id) return;
    if (bytes) this.show(this.tile);
    else this.note.textContent = problem;
  }

  // From the last one to the first, so that no button dies under the finger.
  move(by) {
    const tiles = this.tiles;
    this.show(tiles[(tiles.indexOf(this.tile) + by + tiles.length) % tiles.length]);
  }

  pressed(event) {
    event.stopPropagation(); // JupyterLab takes keys for commands
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.move(by);
  }

  closed() {
    const { tile } = this;
    this.tile = undefined;
    if (tile) this.gallery.go(tile);
  }

  forget(id) {
    URL.revokeObjectURL(this.known.get(id));
    this.known.delete(id);
  }

  clear() {
    for (const id of [...this.known.keys()]) this.forget(id);
  }
}

class Gallery {
  constructor(model, el) {
    this.model = model;
    this.tiles = new Map(); // by the id of the picture, or of the prompt that failed
    this.inView = new Set();
    this.asked = new Set();
    this.sending = new Set(); // prompts whose like is under way
    this.likes = new Map();
    this.overlay = new Overlay(this);
    this.build();
    el.append(this.root);
    this.watchTiles = new IntersectionObserver((seen) => this.scrolled(seen), { root: this.grid, rootMargin: NEAR });
    this.listeners = {
      "change:cards": () => this.redraw(),
      "change:summary": () => this.tell(),
      "change:state": () => this.tell(),
      "change:failure": () => this.tell(),
      "msg:custom": (message, buffers) => this.heard(message, buffers),
    };
    for (const [name, listener] of Object.entries(this.listeners)) model.on(name, listener);
    this.draw();
    this.tell();
  }

  build() {
    const { model } = this;
    this.root = make("div", "astria-pictures", { role: "group", "aria-label": "Pictures", tabindex: "-1" });
    this.summary = make("span", "astria-pictures-summary", { role: "status" });
    this.stop = makeButton("Stop watching", () => model.send({ kind: "stop" }));
    this.again = makeButton("Look again", () => model.send({ kind: "resume" }));
    this.failure = make("div", "astria-pictures-error", { role: "alert" });
    this.problem = make("div", "astria-pictures-error", { role: "alert" });
    this.grid = make("div", "astria-pictures-grid", { role: "list", "aria-label": "Pictures" });
    this.root.append(
      make("div", "astria-pictures-line", {}, this.summary, this.stop, this.again),
      this.failure,
      this.problem,
      this.grid,
      this.overlay.dialog,
    );
    this.root.addEventListener("keydown", (event) => this.pressed(event));
    this.grid.addEventListener("focusin", (event) => this.rove(event.target.closest("[role=listitem]")?.tile));
  }

  tell() {
    const [state, failure] = [this.model.get("state"), this.model.get("failure")];
    const summary = this.model.get("summary");
    if (this.summary.textContent !== summary) this.summary.textContent = summary; // else it is read out again
    if (this.failure.textContent !== failure) this.failure.textContent = failure;
    const focused = [this.stop, this.again].find((each) => each === this.root.getRootNode().activeElement);
    this.stop.hidden = state !== "watching";
    this.again.hidden = state !== "stopped" && state !== "failed";
    this.grid.setAttribute("aria-busy", String(state === "watching"));
    // Whoever works by keyboard goes on from here, and not from the top of the page.
    if (focused?.hidden) ([this.stop, this.again].find((each) => !each.hidden) ?? this.root).focus();
  }

  // Many changes at once are drawn once.
  redraw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = undefined;
      this.draw();
    });
  }

  draw() {
    const wanted = [];
    for (const card of this.model.get("cards")) {
      if (!this.sending.has(card.id)) this.likes.set(card.id, card.liked);
      const pictures = card.pictures.length ? card.pictures : [undefined];
      for (const picture of pictures) wanted.push([picture?.id ?? card.id, card, picture]);
    }
    const kept = new Set(wanted.map(([key]) => key));
    for (const [key, tile] of this.tiles) if (!kept.has(key)) this.drop(key, tile);
    wanted.forEach(([key, card, picture], at) => {
      const tile = this.tiles.get(key) ?? this.add(key, card.id, picture);
      tile.fill(card);
      this.markLike(tile.like, card.id);
      if (this.grid.children[at] !== tile.node) this.grid.insertBefore(tile.node, this.grid.children[at] ?? null);
    });
    this.grid.hidden = !wanted.length;
    if (!this.current || !this.tiles.has(this.current)) this.rove(this.tilesInOrder()[0]);
    this.overlay.count();
  }

  add(key, cardId, picture) {
    const tile = new Tile(this, cardId, picture);
    tile.place = key;
    this.tiles.set(key, tile);
    if (picture) this.watchTiles.observe(tile.node);
    return tile;
  }

  drop(key, tile) {
    this.watchTiles.unobserve(tile.node);
    this.inView.delete(tile);
    this.asked.delete(key);
    if (this.overlay.tile === tile) this.overlay.dialog.close();
    tile.forget();
    tile.node.remove();
    this.tiles.delete(key);
  }

  tilesInOrder() {
    return [...this.grid.children].map((node) => node.tile);
  }

  // Of all tiles, one is reached by the Tab key; the arrows go on from there.
  rove(tile) {
    if (!tile || this.current === tile.place) return;
    const before = this.tiles.get(this.current);
    for (const [each, index] of [[before, -1], [tile, 0]]) {
      if (!each) continue;
      each.focusable.tabIndex = index;
      if (each.like) each.like.tabIndex = index;
    }
    this.current = tile.place;
  }

  go(tile) {
    this.rove(tile);
    tile.focusable.focus();
  }

  pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    event.stopPropagation(); // JupyterLab takes a letter or an arrow for a command, such as a new cell
    const tile = event.target.closest("[role=listitem]")?.tile;
    if (!tile) return;
    const tiles = this.tilesInOrder();
    const at = tiles.indexOf(tile);
    const row = tiles.filter((each) => each.node.offsetTop === tiles[0].node.offsetTop).length;
    const last = tiles.length - 1;
    const places = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: 0, End: last };
    const to = places[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0 && to <= last) this.go(tiles[to]);
  }

  scrolled(seen) {
    for (const { target, isIntersecting } of seen) {
      this.inView[isIntersecting ? "add" : "delete"](target.tile);
      // One that could not be had is asked for again when it is looked at again.
      if (!isIntersecting && target.tile.isMissed) this.asked.delete(target.tile.place);
    }
    this.pause ??= setTimeout(() => this.askForPictures(), PAUSE);
  }

  askForPictures() {
    this.pause = undefined;
    const ids = [...this.inView].map((tile) => tile.place).filter((id) => !this.asked.has(id));
    for (const id of ids) this.asked.add(id);
    if (ids.length) this.model.send({ kind: "thumbnails", ids });
  }

  heard(message, buffers) {
    const bytes = buffers?.[0];
    if (message.kind === "thumbnail") {
      const tile = this.tiles.get(message.id);
      if (!tile?.picture) return;
      if (bytes) tile.paint(bytes);
      else tile.miss();
    } else if (message.kind === "large" || message.kind === "large_failed") this.overlay.heard(message, bytes);
    else if (message.kind === "liked") this.liked(message);
  }

  like(id) {
    if (this.sending.has(id)) return;
    const liked = !this.likes.get(id);
    this.sending.add(id);
    this.likes.set(id, liked); // as if it were done: it nearly always is
    this.model.send({ kind: "like", id, liked });
    this.markLikes(id);
    this.problem.textContent = this.overlay.problem.textContent = "";
  }

  liked({ id, liked, problem }) {
    this.sending.delete(id);
    this.likes.set(id, liked);
    for (const card of this.model.get("cards")) if (card.id === id) card.liked = liked; // for the next drawing
    this.markLikes(id);
    (this.overlay.tile ? this.overlay : this).problem.textContent = problem;
  }

  markLikes(id) {
    for (const { key, like } of this.tiles.values()) if (key === id) this.markLike(like, id);
    if (this.overlay.tile?.key === id) this.markLike(this.overlay.like, id);
  }

  markLike(button, id) {
    if (!button) return;
    const liked = Boolean(this.likes.get(id));
    button.textContent = liked ? "Liked" : "Like";
    button.setAttribute("aria-pressed", String(liked));
  }

  close() {
    clearTimeout(this.pause);
    cancelAnimationFrame(this.due);
    this.watchTiles.disconnect();
    for (const [name, listener] of Object.entries(this.listeners)) this.model.off(name, listener);
    for (const tile of this.tiles.values()) tile.forget();
    this.overlay.clear();
  }
}

export default {
  render({ model, el }) {
    const gallery = new Gallery(model, el);
    return () => gallery.close();
  },
};
