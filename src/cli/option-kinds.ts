/**
 * option-kinds — values of options that several verbs take
 */
import { InvalidArgumentError } from 'commander';

/** A whole number within bounds, for commander. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Want a whole number, ${min} to ${max}.`);
  };
}
