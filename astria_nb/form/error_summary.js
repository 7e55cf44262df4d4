// What ipywidgets leave out of a page: errors that belong to their controls for a screen reader as well,
// a list of them that leads to each, and folds that open by the keyboard. Holds no state of its own.

const CONTROLS = "input, select, textarea, button, [tabindex='0']";
let forms = 0;

function fieldOf(root, name) {
  return root.querySelector(`.astria-at-${CSS.escape(name.replaceAll(".", "-"))}`);
}

function describe(root, id, problems) {
  for (const field of root.querySelectorAll(".astria-field")) {
    const error = [...field.children].find((each) => each.classList.contains("astria-error"));
    if (!error) continue;
    const name = [...field.classList].find((each) => each.startsWith("astria-at-"));
    error.id = `${id}-${name}`;
    const wrong = problems.some((each) => `astria-at-${each.field.replaceAll(".", "-")}` === name);
    for (const control of field.querySelectorAll("input, select, textarea")) {
      control.setAttribute("aria-describedby", error.id);
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
      giveName(control);
    }
  }
}

// A placeholder is seen, and is not a name once an error describes its control.
function giveName(control) {
  const isNamed = control.hasAttribute("aria-label") || [...(control.labels ?? [])].some((each) => each.textContent.trim());
  const name = control.closest(".astria-urls") ? "Image URLs, one a line" : control.placeholder;
  if (!isNamed && name) control.setAttribute("aria-label", name);
}

function makeFoldsReachable(root) {
  for (const header of root.querySelectorAll(".jupyter-widget-Collapse-header")) {
    const open = header.parentElement.classList.contains("jupyter-widget-Collapse-open");
    header.setAttribute("aria-expanded", String(open));
    if (header.getAttribute("role") === "button") continue;
    header.setAttribute("role", "button");
    header.querySelector("i")?.setAttribute("aria-hidden", "true");
    header.tabIndex = 0;
    header.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      header.click();
    });
  }
}

function focus(root, name, tries = 40) {
  const field = fieldOf(root, name);
  const control = field && [...field.querySelectorAll(CONTROLS)].find((each) => each.offsetParent !== null);
  if (control) {
    field.scrollIntoView({ block: "nearest" });
    control.focus();
  } else if (tries > 0) {
    // The kernel is opening the fold that it is in.
    setTimeout(() => focus(root, name, tries - 1), 50);
  }
}

function render({ model, el }) {
  const id = `astria-form-${(forms += 1)}`;
  const list = document.createElement("ul");
  const title = document.createElement("p");
  el.className = "astria-summary";
  el.append(title, list);
  let root = null;
  let waiting = false;
  let told = "";

  function wire() {
    waiting = false;
    root = el.closest(".astria-form");
    if (!root) return;
    observer.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    describe(root, id, model.get("problems"));
    makeFoldsReachable(root);
    for (const wide of root.querySelectorAll(".astria-row .widget-html-content, .astria-pictures")) wide.tabIndex = 0;
    // Pictures that ipywidgets draw: what they show stands beside them in words.
    for (const image of root.querySelectorAll("img:not([alt])")) image.alt = "";
  }

  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(wire);
  }

  const observer = new MutationObserver(soon);

  function draw() {
    const problems = model.get("problems");
    soon();
    const said = JSON.stringify(problems);
    if (said === told) return; // the focus may be in there
    told = said;
    el.hidden = problems.length === 0;
    title.textContent = problems.length === 1 ? "1 thing to mend" : `${problems.length} things to mend`;
    list.replaceChildren(
      ...problems.map(({ field, label, text }) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = "#";
        link.textContent = label;
        link.addEventListener("click", (event) => {
          event.preventDefault();
          model.send({ kind: "focus", field });
          focus(root, field);
        });
        item.append(link, ` ${text}`);
        return item;
      }),
    );
  }

  model.on("change:problems", draw);
  draw();
  const attached = setInterval(() => {
    if (!el.isConnected) return;
    clearInterval(attached);
    soon();
  }, 50);
  return () => {
    clearInterval(attached);
    observer.disconnect();
    model.off("change:problems", draw);
  };
}

export default { render };
