// Displays a widget as the Jupyter extension of VS Code does: with its own bundle of ipywidgets.
import { activate } from "./node_modules/@vscode/jupyter-ipywidgets8/dist/ipywidgets.js";
import { reportColours, reportHeight, run, start } from "./kernel.js";

const CLICKED = [
  "button:not([tabindex])", "a[href]:not([tabindex])", '[role="button"]:not([tabindex])',
  "[onclick]:not([tabindex])", ".jupyter-button:not([tabindex])", ".widget-button:not([tabindex])",
];

// Modules that are not in the bundle come from the kernel's environment.
const scriptLoader = {
  widgetsRegisteredInRequireJs: new Set(),
  async loadWidgetScript(name) {
    window.requirejs.config({ paths: { [name]: `${location.origin}/proof/nbextensions/${name}/index` } });
    this.widgetsRegisteredInRequireJs.add(name);
  },
  errorHandler: (...details) => console.error("a widget was not loaded", details),
  successHandler: () => undefined,
};

/** Makes everything clickable reachable and usable by keyboard, half a second after it is displayed. */
function makeReachable(container) {
  for (const node of container.querySelectorAll(CLICKED.join(", "))) {
    node.setAttribute("tabindex", "0");
    if (!node.hasAttribute("role") && !["BUTTON", "A"].includes(node.tagName)) node.setAttribute("role", "button");
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      node.click();
    });
  }
}

window.proof = {
  async start(token) {
    activate();
    window.vscIPyWidgets8.load();
    this.kernel = await start(token);
    this.manager = new window.vscIPyWidgets.WidgetManager(this.kernel, undefined, scriptLoader, () => undefined);
  },
  async show(code) {
    const { widgets, printed } = await run(this.kernel, code);
    if (!widgets.length) throw new Error(printed);
    const output = document.querySelector(".output");
    const container = document.createElement("div");
    container.className = "cell-output-ipywidget-background";
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", "Interactive widget output"]]) {
      container.setAttribute(name, value);
    }
    output.replaceChildren(container);
    const model = await this.manager.get_model(widgets[0].model_id);
    const view = await this.manager.create_view(model, { el: container });
    await this.manager.display_view(widgets[0], view, { node: container });
    setTimeout(() => makeReachable(container), 500);
    reportHeight(output);
  },
  /** "white" is how the extension was before it had themes: JupyterLab's light colours in a dark editor. */
  setTheme(name) {
    document.body.className = name === "light" ? "vscode-light" : "vscode-dark";
    document.body.dataset.bridge = name === "white" ? "none" : "on";
    reportColours();
  },
  run: (code) => run(window.proof.kernel, code),
  end: () => window.proof.kernel.shutdown(),
};
