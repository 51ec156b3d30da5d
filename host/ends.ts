/** Who can send and get a packet on a lab, by name; `internet` is the world's site. Besides, any IPv4 address. */
export const trafficEnds = ['ct1', 'ct2', 'host', 'outside', 'lan', 'internet'] as const;
