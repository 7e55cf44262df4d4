// Displays a widget as Colab's manager for custom widgets does: the base manager of ipywidgets, modules fetched by
// its own loader, and views that are put into the page without a Lumino application.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import * as output from "@jupyter-widgets/output";
import { reportColours, reportHeight, run, start, TARGET } from "./kernel.js";

const MODULES = {
  "@jupyter-widgets/base": base, "@jupyter-widgets/controls": controls, "@jupyter-widgets/output": output,
};
const fetched = new Map();

/** Loads a module from the kernel's environment, where Colab uses a CDN: ESM, or AMD without requirejs. */
async function load(name) {
  if (MODULES[name]) return MODULES[name];
  if (!fetched.has(name)) {
    fetched.set(
      name,
      fetch(`/proof/nbextensions/${name}/index.js`)
        .then((response) => response.text())
        .then((text) => {
          let exports;
          const define = (...definition) => {
            const [dependencies, factory] = definition.slice(-2);
            exports = factory(...dependencies.map((dependency) => MODULES[dependency]));
          };
          new Function("define", text).call({ define }, define);
          return exports;
        }),
    );
  }
  return fetched.get(name);
}

class Manager extends ManagerBase {
  constructor(kernel) {
    super();
    this.kernel = kernel;
    kernel.registerCommTarget(TARGET, (comm, message) => this.handle_comm_open(new base.shims.services.Comm(comm), message));
  }
  async loadClass(name, module) {
    return (await load(module))[name];
  }
  async _create_comm(target, id, data, metadata, buffers) {
    const comm = this.kernel.createComm(target, id);
    if (data || metadata) comm.open(data, metadata, buffers);
    return new base.shims.services.Comm(comm);
  }
  async _get_comm_info() {
    return (await this.kernel.requestCommInfo({ target_name: TARGET })).content.comms;
  }
}

const message = (type) => ({ type, isConflatable: false, conflate: () => false });

window.proof = {
  async start(token) {
    this.kernel = await start(token);
    this.manager = new Manager(this.kernel);
  },
  async show(code) {
    const { widgets, printed } = await run(this.kernel, code);
    if (!widgets.length) throw new Error(printed);
    const view = await this.manager.create_view(await this.manager.get_model(widgets[0].model_id));
    const place = document.querySelector("#output");
    view.luminoWidget.processMessage(message("before-attach"));
    place.replaceChildren(view.el);
    view.luminoWidget.processMessage(message("after-attach"));
    reportHeight(document.body);
  },
  async setTheme(name) {
    const [bare, theme] = [name.startsWith("bare"), name.endsWith("dark") ? "dark" : "light"];
    document.documentElement.setAttribute("theme", theme);
    const link = document.querySelector("#theme");
    const href = `${location.origin}/proof/${bare ? "bare" : "colab"}.css`;
    if (link.href !== href) {
      const loaded = new Promise((resolve) => link.addEventListener("load", resolve, { once: true }));
      link.href = href;
      await loaded;
    }
    reportColours();
  },
  run: (code) => run(window.proof.kernel, code),
  end: () => window.proof.kernel.shutdown(),
};
