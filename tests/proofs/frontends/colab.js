// Shows a widget as Colab's manager for custom widgets does: the base manager of ipywidgets, modules fetched by
// a loader of its own, views that are put into the page without a Lumino application around them.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import * as output from "@jupyter-widgets/output";
import { measure, run, start, TARGET, tell } from "./kernel.js";

const MODULES = {
  "@jupyter-widgets/base": base, "@jupyter-widgets/controls": controls, "@jupyter-widgets/output": output,
};
const fetched = new Map();

/** A module from the kernel's environment, where Colab asks a CDN: ESM, or AMD without requirejs. */
async function load(name) {
  if (MODULES[name]) return MODULES[name];
  if (!fetched.has(name)) {
    fetched.set(
      name,
      fetch(`/proof/nbextensions/${name}/index.js`)
        .then((answer) => answer.text())
        .then((text) => {
          let made;
          const define = (...given) => {
            const [needs, factory] = given.slice(-2);
            made = factory(...needs.map((each) => MODULES[each]));
          };
          new Function("define", text).call({ define }, define);
          return made;
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
    const { shown, printed } = await run(this.kernel, code);
    if (!shown.length) throw new Error(printed);
    const view = await this.manager.create_view(await this.manager.get_model(shown[0].model_id));
    const place = document.querySelector("#output");
    view.luminoWidget.processMessage(message("before-attach"));
    place.replaceChildren(view.el);
    view.luminoWidget.processMessage(message("after-attach"));
    measure(document.body);
  },
  async look(name) {
    const [bare, theme] = [name.startsWith("bare"), name.endsWith("dark") ? "dark" : "light"];
    document.documentElement.setAttribute("theme", theme);
    const link = document.querySelector("#look");
    const wanted = `${location.origin}/proof/${bare ? "bare" : "colab"}.css`;
    if (link.href !== wanted) {
      const loaded = new Promise((resolve) => link.addEventListener("load", resolve, { once: true }));
      link.href = wanted;
      await loaded;
    }
    tell();
  },
  run: (code) => run(window.proof.kernel, code),
  end: () => window.proof.kernel.shutdown(),
};
