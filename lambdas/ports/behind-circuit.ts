// How does a port stop calling a vendor that is failing?
import type { Circuits } from '../runtime/circuits.ts';

/** Services that we use with the stage's own credential are shared by all tenants, and so is their circuit. */
export const SHARED = 'platform';

/**
 * The port with every asynchronous method behind the tenant's circuit for the service. `plain` names the methods that make no call.
 * @throws from its methods: Unavailable with vendorCode `circuit-open` while the vendor is left alone.
 */
export function behindCircuit<T extends object>(
  port: T,
  circuits: Pick<Circuits, 'run'>,
  service: string,
  tenant: string,
  plain: readonly (keyof T)[] = [],
): T {
  return new Proxy(port, {
    get(target, name, receiver): unknown {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function' || plain.includes(name as keyof T)) return member;
      return (...parameters: unknown[]) =>
        circuits.run(service, tenant, async () => Reflect.apply(member, target, parameters) as unknown);
    },
  });
}
