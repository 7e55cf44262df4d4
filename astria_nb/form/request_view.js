// The request as code, in tabs: text only, and a button that copies it.

async function copy(text, block) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not every frontend lets a cell write to the clipboard by itself.
    const range = document.createRange();
    range.selectNodeContents(block);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  }
}

const KEY = /Mac|iP(hone|ad)/.test(navigator.platform) ? "\u2318C" : "Ctrl-C";
let views = 0;

function render({ model, el }) {
  const id = `astria-request-${(views += 1)}`;
  const bar = document.createElement("div");
  const block = document.createElement("pre");
  const button = document.createElement("button");
  const said = document.createElement("span");
  const tabs = document.createElement("div");
  el.classList.add("astria-request");
  bar.className = "astria-request-bar";
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "The request as code");
  block.id = id;
  block.tabIndex = 0;
  block.setAttribute("role", "tabpanel");
  said.setAttribute("role", "status");
  button.type = "button";
  button.textContent = "Copy";
  bar.append(tabs, said, button);
  const note = document.createElement("p");
  note.className = "astria-note";
  el.append(bar, block, note);

  function choose(name) {
    model.set("language", name);
    model.save_changes();
  }

  function draw() {
    const texts = model.get("texts");
    const names = Object.keys(texts);
    const chosen = model.get("language");
    note.textContent = model.get("note");
    note.hidden = !note.textContent;
    if (tabs.children.length !== names.length) {
      tabs.replaceChildren(
        ...names.map((name) => {
          const tab = document.createElement("button");
          tab.type = "button";
          tab.setAttribute("role", "tab");
          tab.setAttribute("aria-controls", id);
          tab.id = `${id}-${name}`;
          tab.textContent = name;
          tab.addEventListener("click", () => choose(name));
          return tab;
        }),
      );
    }
    for (const tab of tabs.children) {
      const mine = tab.textContent === chosen;
      tab.setAttribute("aria-selected", String(mine));
      tab.tabIndex = mine ? 0 : -1;
      if (mine) block.setAttribute("aria-labelledby", tab.id);
    }
    if (block.textContent !== texts[chosen]) {
      block.textContent = texts[chosen] ?? "";
      said.textContent = "";
    }
  }

  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...tabs.children];
    const at = all.findIndex((tab) => tab.textContent === model.get("language"));
    const next = all[(at + step + all.length) % all.length];
    choose(next.textContent);
    next.focus();
  });
  button.addEventListener("click", async () => {
    said.textContent = (await copy(block.textContent, block)) ? "Copied" : `Marked; press ${KEY}`;
  });
  model.on("change:texts change:language change:note", draw);
  draw();
  return () => model.off("change:texts change:language change:note", draw);
}

export default { render };
