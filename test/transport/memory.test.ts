/**
 * The memory transport keeps the contract, whether input comes whole or byte by byte; and what it promises
 * to simulations beyond it.
 */
import { transportContract } from './contract.ts';
import { memoryHarness } from './memory-rig.ts';

transportContract(memoryHarness('memory'));
transportContract(memoryHarness('memory, seven bytes at a time', 7));
