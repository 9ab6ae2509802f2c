/**
 * The node transport keeps the contract on real sockets; and what its listeners promise beyond it.
 */
import { transportContract } from './contract.ts';
import { nodeHarness } from './node-rig.ts';

transportContract(nodeHarness);
