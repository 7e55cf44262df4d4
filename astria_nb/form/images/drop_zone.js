// Takes photos that are dropped, pasted or picked, and sends them to the kernel piece by piece.
// The messages are described in drop_zone_wire.py. What is under way is the kernel's to say
// (`transfers`); here are only the files themselves, which a page that is loaded again no longer has.

const CHUNK = 1 << 20;
const IN_FLIGHT = 4; // pieces
const PATIENCE = 1500; // ms without an answer, after which the kernel counts as busy
const SILENCE = 10000; // ms without an answer, after which it is asked how far it is
const SPEAK = 5000; // ms between two lines about progress for those who listen

const amount = (done, size) =>
  size < 1e6
    ? `${Math.round(done / 1e3)} of ${Math.max(Math.round(size / 1e3), 1)} kB`
    : `${(done / 1e6).toFixed(1)} of ${(size / 1e6).toFixed(1)} MB`;
const photos = (count) => (count === 1 ? "1 photo" : `${count} photos`);

function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  const { attributes = {}, ...properties } = options;
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Sends the files of this page, for all views of one widget. */
function createSender(model) {
  const page = [...crypto.getRandomValues(new Uint32Array(3))].map((each) => each.toString(36)).join("");
  const files = new Map(); // by id; those that are whole, or not wanted, are gone
  const cancelled = new Set();
  const received = new Map(); // by id: also of files that another page sends
  const views = new Set();
  let [numbers, arrived, note] = [0, 0, ""];
  let [pumping, ended, timer, drawing] = [false, false, 0, 0];
  let [waitingSince, asked, spoken] = [0, 0, 0]; // ms; 0 for not at all

  const post = (message, buffers = []) => {
    if (!ended) model.send(message, undefined, buffers);
  };
  const expect = () => (waitingSince ||= asked = Date.now());
  const show = () => {
    drawing ||= requestAnimationFrame(() => {
      drawing = 0;
      views.forEach((view) => view.show());
    });
  };
  const say = (text) => [...views].slice(0, 1).forEach((view) => view.say(text));
  const inFlight = () =>
    [...files.values()].reduce((sum, each) => sum + Math.ceil((each.sent - each.acked) / CHUNK), 0);
  // In the order in which they were given, which is the order of the list: one that was not answered yet holds up.
  const next = () => {
    const first = [...files.values()].find((each) => each.sent < each.file.size);
    return first?.open ? first : undefined;
  };

  function give(given, remark = "") {
    if (ended) return;
    const taken = given.slice(0, model.get("most"));
    const more = given.length > taken.length ? `The first ${taken.length} of ${given.length} were taken. ` : "";
    note = `${more}${remark}`;
    const fresh = taken.map((file) => ({ id: `${page}.${(numbers += 1)}`, file, sent: 0, acked: 0, open: false }));
    for (const each of fresh) files.set(each.id, each);
    offer(fresh);
    if (fresh.length) {
      say(`Sending ${photos(fresh.length)}`);
      spoken = Date.now();
      timer ||= setInterval(tick, 500);
    }
    show();
  }

  function offer(some) {
    if (!some.length) return;
    post({ kind: "offer", page, files: some.map(({ id, file }) => ({ id, name: file.name, size: file.size })) });
    expect();
  }

  async function pump() {
    if (pumping) return;
    pumping = true;
    for (let item = next(); item && inFlight() < IN_FLIGHT && !ended; item = next()) {
      const from = item.sent;
      const due = Math.min(CHUNK, item.file.size - from);
      const piece = await item.file
        .slice(from, from + due)
        .arrayBuffer()
        .catch(() => undefined); // deleted or changed on the reader's disk meanwhile
      if (!files.has(item.id) || item.sent !== from) continue; // cancelled, or told to go back
      if (piece?.byteLength !== due) {
        files.delete(item.id);
        post({ kind: "lost", id: item.id });
        continue;
      }
      item.sent += due;
      post({ kind: "chunk", id: item.id, offset: from }, [piece]);
      expect();
    }
    pumping = false;
  }

  function hear(message) {
    const item = files.get(message.id);
    waitingSince = 0;
    received.set(message.id, message.offset ?? 0);
    if (item && message.kind === "stop") files.delete(item.id);
    if (item && message.kind === "again") item.sent = item.acked = message.offset;
    if (item && message.kind === "have") {
      item.open = true;
      item.acked = Math.max(item.acked, message.offset);
      item.sent = Math.max(item.sent, item.acked);
      if (item.acked >= item.file.size) {
        files.delete(item.id);
        arrived += 1;
      }
    }
    if (!files.size) rest();
    else if (inFlight() || [...files.values()].some((each) => !each.open)) expect();
    pump();
    show();
  }

  function rest() {
    clearInterval(timer);
    timer = 0;
    if (arrived) say(`${photos(arrived)} received`);
    arrived = 0;
  }

  function tick() {
    const now = Date.now();
    if (waitingSince && now - asked > SILENCE) {
      asked = now;
      const first = [...files.values()].find((each) => !each.open || each.acked < each.file.size);
      if (first?.open) post({ kind: "ask", id: first.id });
      else if (first) offer([first]);
    }
    if (now - spoken > SPEAK) {
      spoken = now;
      say(isWaiting() ? "Waiting for the kernel" : progress());
    }
    show();
  }

  const isWaiting = () => waitingSince > 0 && Date.now() - waitingSince > PATIENCE;
  const progress = () => {
    const all = [...files.values()];
    const done = all.reduce((sum, each) => sum + each.acked, 0);
    const size = all.reduce((sum, each) => sum + each.file.size, 0);
    return `${photos(all.length)} to send, ${amount(done, size)}`;
  };

  function cancel(ids) {
    for (const id of ids) {
      files.delete(id);
      cancelled.add(id);
    }
    post({ kind: "cancel", ids });
    say(ids.length === 1 ? "Cancelled" : `${ids.length} cancelled`);
    if (!files.size) rest();
    show();
  }

  /** What there is to see of each file: the kernel's lines, and what it has not heard of yet. */
  function lines() {
    const known = model.get("transfers").filter((each) => !cancelled.has(each.id));
    const ids = new Set(known.map((each) => each.id));
    const fresh = [...files.values()]
      .filter((each) => !ids.has(each.id))
      .map(({ id, file, acked }) => ({ id, name: file.name, size: file.size, received: acked, state: "coming" }));
    return [...known, ...fresh].map((each) => ({
      ...each,
      received: Math.max(each.received, received.get(each.id) ?? 0),
    }));
  }

  function end() {
    ended = true;
    files.clear();
    rest();
    show();
  }

  model.on("msg:custom", hear);
  model.on("change:transfers", show);
  model.on("comm_live_update", end); // ipywidgets' word for a kernel that is gone
  post({ kind: "hello", page });
  return {
    give, cancel, lines, views,
    isWaiting, progress,
    get ended() { return ended; },
    get note() { return note; },
    get isSending() { return files.size > 0; },
    close: () => clearInterval(timer),
  };
}

/** Returns the files of a drop; of a folder those that are images, with a word about the rest. */
async function filesOf(transfer, accept) {
  // Entries are gone once the event is over, so all are asked for before anything is waited for.
  const items = [...transfer.items].filter((each) => each.kind === "file");
  const entries = items.map((each) => each.webkitGetAsEntry?.() ?? null);
  const plain = items.map((each) => each.getAsFile());
  const found = [];
  let left = 0;
  const folders = [];
  async function walk(folder) {
    const reader = folder.createReader();
    for (;;) {
      const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
      if (!some.length) return;
      for (const each of some.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))) {
        if (each.isDirectory) await walk(each);
        else {
          const file = await new Promise((resolve) => each.file(resolve, () => resolve(null)));
          if (file && accept.includes(file.type)) found.push(file);
          else left += 1;
        }
      }
    }
  }
  for (const [at, entry] of entries.entries()) {
    if (entry?.isDirectory) {
      folders.push(entry.name);
      await walk(entry);
    } else if (plain[at]) found.push(plain[at]);
  }
  const others = left ? `; ${left} other ${left === 1 ? "file was" : "files were"} left out` : "";
  const remark = folders.length ? `Took ${photos(found.length)} from ${folders.join(", ")}${others}.` : "";
  return [found, remark];
}

/** The line of one file. */
function createRow(sender, id) {
  const name = make("span", { className: "astria-drop-name" });
  const bar = make("progress", {});
  const text = make("span", { className: "astria-drop-text" });
  const button = make("button", { type: "button", className: "astria-drop-button" });
  const element = make("li", { className: "astria-drop-row" }, name, bar, text, button);
  button.addEventListener("click", () => sender.cancel([id]));
  function update(line) {
    const coming = line.state === "coming";
    name.textContent = name.title = line.name;
    element.classList.toggle("astria-drop-wrong", !coming);
    bar.hidden = !coming;
    bar.max = line.size || 1;
    bar.value = line.received;
    bar.setAttribute("aria-label", `Received of ${line.name}`);
    text.textContent = coming ? amount(line.received, line.size) : line.problem;
    button.textContent = coming ? "Cancel" : "Dismiss";
    button.setAttribute("aria-label", `${button.textContent} ${line.name}`);
  }
  return { element, update };
}

function render({ model, el }, sender) {
  const accept = model.get("accept").split(",");
  const input = make("input", {
    type: "file", multiple: true, accept: accept.join(","), className: "astria-drop-input",
  });
  const key = /Mac|iP(hone|ad)/.test(navigator.platform) ? "\u2318V" : "Ctrl-V";
  const zone = make(
    "div",
    { className: "astria-drop-zone", tabIndex: -1, attributes: { role: "group", "aria-label": "Photos from this computer" } },
    make("label", { className: "astria-drop-pick" }, input, make("span", { textContent: "Choose photos" })),
    make("span", { textContent: `or drop them here, or click here and paste them with ${key}` }),
  );
  const summary = make("span", { className: "astria-drop-summary" });
  const all = make("button", { type: "button", className: "astria-drop-button" });
  const head = make("div", { className: "astria-drop-head" }, summary, all);
  const list = make("ul", { className: "astria-drop-rows", attributes: { "aria-label": "Photos on their way" } });
  const status = make("div", { className: "astria-drop-spoken", attributes: { role: "status" } });
  const rows = new Map();
  const root = make("div", { className: "astria-drop" }, zone, head, list, status);
  // A letter pressed in here is not for the notebook, which would cut the cell or add another.
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  el.append(root);

  function show() {
    const lines = sender.lines();
    const ids = lines.map((each) => each.id);
    for (const [id, row] of rows) {
      if (!ids.includes(id)) {
        // Whoever works by keyboard goes on from here, and not from the top of the page.
        if (row.element.contains(document.activeElement)) input.focus();
        row.element.remove();
        rows.delete(id);
      }
    }
    for (const line of lines) {
      if (!rows.has(line.id)) {
        rows.set(line.id, createRow(sender, line.id));
        list.append(rows.get(line.id).element);
      }
      rows.get(line.id).update(line);
    }
    const coming = lines.filter((each) => each.state === "coming");
    const wrong = lines.length - coming.length;
    const texts = [];
    if (sender.ended) texts.push("The kernel has ended. Run the cell again, then give the photos again.");
    else if (sender.isWaiting()) texts.push("Waiting for the kernel: it is busy. This goes on when it is free.");
    else if (sender.isSending) texts.push(sender.progress());
    if (sender.note) texts.push(sender.note);
    summary.textContent = texts.join(" ");
    all.hidden = coming.length < 2 && (coming.length > 0 || wrong < 2);
    all.textContent = coming.length > 1 ? "Cancel all" : "Dismiss all";
    head.hidden = !texts.length && all.hidden;
    list.hidden = !lines.length;
  }
  all.addEventListener("click", () => {
    const lines = sender.lines();
    const coming = lines.filter((each) => each.state === "coming");
    sender.cancel((coming.length > 1 ? coming : lines).map((each) => each.id));
    input.focus();
  });

  input.addEventListener("change", () => {
    sender.give([...input.files]);
    input.value = ""; // so that the same file can be picked again
  });
  root.addEventListener("paste", (event) => {
    const given = [...(event.clipboardData?.files ?? [])];
    if (given.length) {
      event.preventDefault();
      event.stopPropagation();
    }
    sender.give(given, given.length ? "" : "There is no photo to paste.");
  });

  // A photo that misses the zone would replace the page, so the whole form takes it.
  const area = () => el.closest(".astria-form") ?? root;
  const mark = (isOver) => area().classList.toggle("astria-drop-over", isOver);
  const isOurs = (event) =>
    [...(event.dataTransfer?.types ?? [])].includes("Files") && area().contains(event.target);
  const page = el.ownerDocument;
  const listeners = {
    dragover(event) {
      mark(isOurs(event));
      if (isOurs(event)) event.preventDefault();
    },
    dragleave(event) {
      if (!event.relatedTarget) mark(false);
    },
    async drop(event) {
      mark(false);
      if (!isOurs(event)) return;
      event.preventDefault();
      event.stopPropagation();
      sender.give(...(await filesOf(event.dataTransfer, accept)));
    },
  };
  for (const [name, listener] of Object.entries(listeners)) page.addEventListener(name, listener, true);
  const view = { show, say: (text) => (status.textContent = text) };
  sender.views.add(view);
  show();
  return () => {
    sender.views.delete(view);
    for (const [name, listener] of Object.entries(listeners)) page.removeEventListener(name, listener, true);
  };
}

// A function, so that all views of one widget share a sender: what is dropped on one is sent once.
export default () => {
  let sender;
  return {
    initialize({ model }) {
      sender = createSender(model);
      return () => sender.close();
    },
    render: (context) => render(context, sender),
  };
};
