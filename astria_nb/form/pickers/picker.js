// A searchable grid of cards. The kernel holds what is true: the cards, the choice, the pictures.
// Text reaches the page through textContent only, and pictures as bytes that the kernel sends.

const PAUSE = 100; // milliseconds that a card has to be in view before its picture is asked for
const NEAR = "0px 0px 240px 0px"; // the end is near when it is so close below what is seen

function make(tag, className, attributes = {}) {
  const node = document.createElement(tag);
  node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function makeButton(text, clicked) {
  const button = make("button", "jupyter-button widget-button astria-picker-button", { type: "button" });
  button.textContent = text;
  button.addEventListener("click", clicked);
  return button;
}

/** One card in the grid, and the picture that belongs to it. */
class Option {
  constructor(id) {
    this.id = id;
    this.asked = false;
    this.node = make("div", "astria-picker-card", { role: "option", tabindex: "-1" });
    this.frame = make("div", "astria-picker-frame");
    this.title = make("div", "astria-picker-title");
    this.lines = make("div", "astria-picker-lines");
    this.node.append(this.frame, this.title, this.lines);
  }

  fill(card) {
    this.card = card;
    this.words = [card.id, card.title, ...card.lines].join("\n").toLowerCase();
    this.title.textContent = this.title.title = card.title;
    this.lines.replaceChildren(
      ...card.lines.map((line) => {
        const node = make("div", "");
        node.textContent = line;
        return node;
      }),
    );
    if (!this.address) this.frame.textContent = card.picture === "none" ? "no picture" : "";
  }

  paint(bytes) {
    this.forget();
    this.address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    const picture = make("img", "", { alt: "" }); // the title stands beside it
    picture.src = this.address;
    this.frame.replaceChildren(picture);
  }

  forget() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = undefined;
  }
}

class Picker {
  constructor(model, el) {
    this.model = model;
    this.options = new Map();
    this.inView = new Set();
    this.build();
    el.append(this.root);
    this.watchCards = new IntersectionObserver((seen) => this.scrolled(seen), { root: this.scroll });
    this.watchEnd = new IntersectionObserver((seen) => this.reached(seen), { root: this.scroll, rootMargin: NEAR });
    for (const name of ["items", "more", "state", "failure", "empty"]) {
      model.on(`change:${name}`, () => this.redraw());
    }
    model.on("change:chosen", () => this.mark());
    model.on("change:is_open", () => this.open());
    model.on("msg:custom", (message, buffers) => this.heard(message, buffers));
    this.root.hidden = !model.get("is_open");
    this.draw();
  }

  build() {
    const noun = this.model.get("noun");
    this.root = make("div", `astria-picker astria-picker-${noun}s`, { role: "group", "aria-label": `Browse ${noun}s` });
    const head = make("div", "astria-picker-head");
    this.search = make("input", "astria-picker-search", { type: "search", autocomplete: "off", spellcheck: "false" });
    this.search.placeholder = `Search ${noun}s`;
    this.search.setAttribute("aria-label", `Search ${noun}s`);
    this.none = makeButton("Choose none", () => {
      this.search.focus(); // the button goes
      this.choose([]);
    });
    head.append(this.search, makeButton("Reload", () => this.ask("reload")));
    const line = make("div", "astria-picker-line");
    this.status = make("div", "astria-picker-status", { role: "status" });
    line.append(this.status, this.none);
    this.failure = make("div", "astria-picker-failure", { role: "alert" });
    this.failureText = make("span", "");
    this.retry = makeButton("Retry", () => {
      this.search.focus();
      this.ask("load_more");
    });
    this.failure.append(this.failureText, this.retry);
    this.scroll = make("div", "astria-picker-scroll");
    this.grid = make("div", "astria-picker-grid", { role: "listbox", "aria-label": `${noun}s` });
    this.grid.setAttribute("aria-multiselectable", String(this.model.get("multiple")));
    this.more = makeButton("Load more", () => this.ask("load_more"));
    this.scroll.append(this.grid, this.more);
    this.root.append(head, line, this.failure, this.scroll);
    this.search.addEventListener("input", () => this.filter());
    this.root.addEventListener("keydown", (event) => this.pressed(event));
    this.grid.addEventListener("click", (event) => {
      const node = event.target.closest("[role=option]");
      if (node) this.toggle(node);
    });
  }

  ask(kind) {
    this.model.send({ kind });
  }

  // The traits arrive one by one, and belong together.
  redraw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = undefined;
      this.draw();
    });
  }

  draw() {
    const cards = this.model.get("items");
    const next = this.hasFocus(this.more) && this.options.size < cards.length && this.options.size;
    const kept = new Set(cards.map((card) => card.id));
    for (const [id, option] of this.options) if (!kept.has(id)) this.drop(id, option);
    cards.forEach((card, at) => {
      const option = this.options.get(card.id) ?? this.add(card.id);
      // What came with a picture since the list was sent is in no list yet, and stays.
      if (option.listed !== card) {
        option.listed = card;
        option.asked = Boolean(option.address);
        option.fill(card);
      }
      if (this.grid.children[at] !== option.node) this.grid.insertBefore(option.node, this.grid.children[at] ?? null);
    });
    this.mark();
    this.filter();
    if (next) this.go(this.visible().find((node) => node.option.listed === cards[next]) ?? this.search);
    this.askForPictures();
  }

  hasFocus(node) {
    return this.root.getRootNode().activeElement === node;
  }

  add(id) {
    const option = new Option(id);
    this.options.set(id, option);
    option.node.option = option;
    this.watchCards.observe(option.node);
    return option;
  }

  drop(id, option) {
    this.watchCards.unobserve(option.node);
    this.inView.delete(option);
    option.forget();
    option.node.remove();
    this.options.delete(id);
  }

  mark() {
    const chosen = new Set(this.model.get("chosen"));
    for (const { id, node } of this.options.values()) node.setAttribute("aria-selected", String(chosen.has(id)));
    this.none.hidden = !this.model.get("multiple") || chosen.size === 0;
    this.tell();
  }

  filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of this.options.values()) {
      option.node.hidden = !words.every((word) => option.words.includes(word));
    }
    this.rove(this.visible().find((node) => node.tabIndex === 0));
    this.tell();
  }

  visible() {
    return [...this.grid.children].filter((node) => !node.hidden);
  }

  // Of all cards, one is reached by the Tab key; the arrows go on from there.
  rove(to = this.visible().find((node) => node.getAttribute("aria-selected") === "true") ?? this.visible()[0]) {
    for (const node of this.grid.children) node.tabIndex = node === to ? 0 : -1;
  }

  tell() {
    const [state, more] = [this.model.get("state"), this.model.get("more")];
    const shown = this.visible().length;
    const text = this.says(state, shown);
    if (this.status.textContent !== text) this.status.textContent = text; // else it is read out again
    this.failure.hidden = state !== "failed";
    this.failureText.textContent = this.model.get("failure");
    if (state === "failed" && this.hasFocus(this.more)) this.retry.focus();
    this.grid.setAttribute("aria-busy", String(state === "loading"));
    this.scroll.hidden = shown === 0 && !more;
    this.more.hidden = state === "failed" || !more;
    this.more.textContent = state === "loading" ? "Loading" : "Load more";
    // An end that stays in view is not told of twice, unless it is watched anew.
    this.watchEnd.unobserve(this.more);
    if (state === "ready") this.watchEnd.observe(this.more);
  }

  says(state, shown) {
    const [noun, count, query] = [this.model.get("noun"), this.options.size, this.search.value.trim()];
    if (state === "loading" || state === "idle") return `Loading ${noun}s`;
    if (count === 0) return state === "failed" ? "" : this.model.get("empty");
    const more = this.model.get("more") && state === "ready";
    const all = `${count} ${noun}${count === 1 ? "" : "s"}${more ? " loaded" : ""}`;
    const matching = `${shown || "None"} of ${all} ${shown > 1 ? "match" : "matches"} “${query}”`;
    const [said, others] = query ? [matching, "; others may, once they are loaded"] : [all, "; there are more"];
    const chosen = this.model.get("multiple") ? this.model.get("chosen").length : 0;
    const picked = chosen ? `${chosen} chosen` : this.model.get("unchosen");
    return said + (more ? others : "") + (picked ? ` · ${picked}` : "");
  }

  open() {
    this.root.hidden = !this.model.get("is_open");
    if (!this.root.hidden) this.search.focus();
  }

  heard(message, buffers) {
    const option = message.kind === "card" && this.options.get(message.card.id);
    if (!option) return;
    if (buffers?.length) option.paint(buffers[0]);
    option.fill(message.card);
    option.asked = true;
  }

  scrolled(seen) {
    for (const { target, isIntersecting } of seen) {
      this.inView[isIntersecting ? "add" : "delete"](target.option);
    }
    this.askForPictures();
  }

  askForPictures() {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => {
      const wanted = [...this.inView].filter((each) => !each.asked && !each.address && each.card.picture !== "none");
      for (const option of wanted) option.asked = true;
      if (wanted.length) this.model.send({ kind: "thumbnails", ids: wanted.map((each) => each.id) });
    }, PAUSE);
  }

  // A search does not load on by itself: it would go through all that the service has.
  reached(seen) {
    if (seen.some((each) => each.isIntersecting) && !this.search.value.trim()) this.ask("load_more");
  }

  toggle(node) {
    const { id } = node.option;
    this.rove(node);
    if (!this.model.get("multiple")) {
      this.model.set("is_open", false);
      this.choose([id]);
      return;
    }
    const chosen = this.model.get("chosen");
    this.choose(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  }

  choose(ids) {
    this.model.set("chosen", ids);
    this.model.save_changes();
  }

  pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    event.stopPropagation(); // JupyterLab takes a letter or an arrow for a command, such as a new cell
    const { key, target } = event;
    if (key === "Escape") this.escape();
    else if (key === "ArrowDown" && target === this.search) this.go(this.visible()[0]);
    else if (!target.option || !this.move(target, key)) return;
    event.preventDefault();
  }

  escape() {
    if (this.search.value) {
      this.search.value = "";
      this.filter();
      this.search.focus();
    } else {
      this.model.set("is_open", false);
      this.model.save_changes();
    }
  }

  move(node, key) {
    const cards = this.visible();
    const at = cards.indexOf(node);
    const row = cards.filter((each) => each.offsetTop === cards[0].offsetTop).length;
    const last = cards.length - 1;
    const below = Math.floor(at / row) < Math.floor(last / row) ? Math.min(at + row, last) : at;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: below, Home: 0, End: last }[key];
    if (key === "Enter" || key === " ") this.toggle(node);
    else if (to === undefined) return false;
    else if (key === "ArrowUp" && to < 0) this.search.focus();
    else this.go(cards[Math.max(0, Math.min(to, last))]);
    return true;
  }

  go(node) {
    if (!node) return;
    this.rove(node);
    node.focus();
  }

  close() {
    clearTimeout(this.pause);
    cancelAnimationFrame(this.due);
    this.watchCards.disconnect();
    this.watchEnd.disconnect();
    for (const option of this.options.values()) option.forget();
  }
}

export default {
  render({ model, el }) {
    const picker = new Picker(model, el);
    return () => picker.close();
  },
};
