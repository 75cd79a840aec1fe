// Who must stop when an execution, a branch or an iteration is ended from outside?
import type { StateFailure } from './failure.ts';

/** A tree of stop signals. Listeners run at once, the innermost first, so that history reads from leaf to root. */
export class Halt {
  reason: StateFailure | undefined;
  readonly #listeners = new Set<(reason: StateFailure) => void>();
  readonly #detach: (() => void) | undefined;

  constructor(parent?: Halt) {
    this.reason = parent?.reason;
    this.#detach = parent?.onHalt((reason) => this.halt(reason));
  }

  halt(reason: StateFailure): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    const listeners = [...this.#listeners];
    for (let i = listeners.length - 1; i >= 0; i -= 1) listeners[i]!(reason);
    this.#listeners.clear();
  }

  /** Returns the function that stops listening. A halt in the past is not reported: check `reason` first. */
  onHalt(listener: (reason: StateFailure) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Leaves the parent; to be called when the part that this halt guards has ended. */
  release(): void {
    this.#detach?.();
  }

  check(): void {
    if (this.reason !== undefined) throw this.reason;
  }
}
