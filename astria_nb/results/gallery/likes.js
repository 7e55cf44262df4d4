// @ts-check
// Which prompts are liked. A like shows at once, and is taken back if the kernel reports a problem.

export class Likes {
  /** @type {Map<string, boolean>} by prompt */
  #liked = new Map();
  /** @type {Set<string>} prompts whose like the kernel has not answered */
  #pending = new Set();

  /**
   * Take over what the kernel knows, unless the user has just changed it.
   *
   * @param {string} promptId
   * @param {boolean} liked
   */
  update(promptId, liked) {
    if (!this.#pending.has(promptId)) this.#liked.set(promptId, liked);
  }

  /**
   * Like or unlike a prompt, and return what to send: undefined while the kernel has yet to answer.
   *
   * @param {string} promptId
   */
  toggle(promptId) {
    if (this.#pending.has(promptId)) return undefined;
    const liked = !this.#liked.get(promptId);
    this.#pending.add(promptId);
    this.#liked.set(promptId, liked);
    return liked;
  }

  /**
   * @param {string} promptId
   * @param {boolean} liked
   */
  settle(promptId, liked) {
    this.#pending.delete(promptId);
    this.#liked.set(promptId, liked);
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {string} promptId
   */
  mark(button, promptId) {
    const liked = this.#liked.get(promptId) ?? false;
    button.textContent = liked ? "Liked" : "Like";
    button.setAttribute("aria-pressed", String(liked));
  }
}
