// Is this address on the public internet?
import { BlockList, isIP } from 'node:net';

// IANA's special-purpose registries: https://www.iana.org/assignments/iana-ipv4-special-registry and …-ipv6-….
const PRIVATE_V4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // Carrier-grade NAT; also some clouds' metadata services.
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local: instance metadata and credentials.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
const SPECIAL_V6: readonly [string, number][] = [
  // Teredo, ORCHID and other protocol assignments.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 carries any IPv4 address.
  ['2002::', 16],
  ['3fff::', 20],
];

const refused4 = new BlockList();
for (const [net, bits] of PRIVATE_V4) refused4.addSubnet(net, bits, 'ipv4');
const refused6 = new BlockList();
for (const [net, bits] of SPECIAL_V6) refused6.addSubnet(net, bits, 'ipv6');
// Everything outside global unicast is loopback, mapped, unique-local, link-local, multicast or unassigned.
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');

/** False for private, loopback, link-local, metadata, carrier-grade NAT, mapped, unique-local, multicast and reserved addresses, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !refused4.check(address, 'ipv4');
  if (version === 6)
    return !address.includes('%') && global6.check(address, 'ipv6') && !refused6.check(address, 'ipv6');
  return false;
}
