// @ts-check
// A widget hears of what Python changes, however late the page has loaded its script.

/** @typedef {{ get: (name: string) => unknown, widget_manager?: { get_model?: (id: unknown) => Promise<any> } }} Model */
/** @typedef {{ initialize?: (context: any) => unknown, render: (context: any) => unknown }} Definition */

/**
 * Return a widget's definition for anywidget, which gives a script two seconds from the moment at which its widget was
 * made. If it is there later, as on a busy page, anywidget shows the widget, and throws away all that Python sends it,
 * for good: a click would reach Python, and its answer not the page. Then the widget listens by itself, and asks for
 * what it has missed.
 *
 * @param {Definition | (() => Definition | Promise<Definition>)} script what a script exports
 */
export const listening = (script) => async () => {
  const definition = typeof script === "function" ? await script() : script;
  return {
    .../** @type {object} */ (definition),
    /** @param {{ model: Model }} context */
    initialize(context) {
      listenIfLate(context.model).catch(() => {}); // a page without a kernel has nobody to listen to
      return definition.initialize?.(context);
    },
  };
};

const NOTHING = { content: { data: { method: "nothing" } } };

/** @param {Model} model */
async function listenIfLate(model) {
  const widget = await model.widget_manager?.get_model?.(model.get("_own_id"));
  try {
    await widget?._handle_comm_msg(NOTHING);
  } catch {
    const ofIpywidgets = Object.getPrototypeOf(Object.getPrototypeOf(widget))._handle_comm_msg;
    widget.comm.on_msg(ofIpywidgets.bind(widget));
    widget.comm.send({ method: "request_state" });
  }
}
