/**
 * failure — a checker of the simulation found something wrong
 *
 * Carries what a report needs: the checker's rule, the moment, and the session concerned if there is one.
 */

/** Thrown by checkers; the runner adds the seed and the last events. */
export class SimFailure extends Error {
  override readonly name = 'SimFailure';
  readonly rule: string;
  /** The session concerned, -1 if it is nobody's. */
  readonly serial: number;

  constructor(rule: string, serial: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.rule = rule;
    this.serial = serial;
  }
}

/** Fails `rule` unless `holds`. */
export function must(holds: boolean, rule: string, serial: number, message: () => string): asserts holds {
  if (!holds) throw new SimFailure(rule, serial, message());
}
