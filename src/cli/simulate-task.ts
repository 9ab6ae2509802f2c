/**
 * simulate-task — one run of `sluice simulate`, as a thread of piscina does it
 *
 * In and out go plain data: the order of a town, and its figures. The same order gives the same figures in any thread.
 */
import { figuresOf } from '../../loadgen/virtual/figures.ts';
import type { Figures } from '../../loadgen/virtual/figures.ts';
import { Town } from '../../loadgen/virtual/town.ts';
import type { TownOrder } from '../../loadgen/virtual/town.ts';

/** Runs a town until everybody is gone. */
export default function simulate(order: TownOrder): Figures {
  const town = new Town(order);
  return figuresOf(town.run(), town.bots);
}
