// biome-ignore-all lint/suspicious/noTemplateCurlyInString: passages of sources are no templates
/** One passage of the aggregator's sources, and what stands there once the defence is off. */
export type Edit = readonly [file: string, passage: string, instead: string]

const CONTEXT = "hash('fedweave/v1', task, round, rosterHash(roster), modelHash, configHash, headHash, coordinatorKey)"

/**
 * What stops the attacks, each as the passage that does it. A control runs the same attack on sources without it; a
 * passage that is no longer there, or there twice, fails the control.
 */
export const defences = {
  'one-kind-of-share': [['secagg/client-finish.ts', 'held.filter(([owner]) => !surviving.has(owner))', 'held']],
  'confirmed-survivors': [['secagg/client-finish.ts', 'if (confirmed.length < graph.threshold)', 'if (false)']],
  'threshold-above-half': [
    ['secagg/params.ts', 'const threshold = Math.floor((clients + corrupt) / 2) + 1', 'const threshold = 2'],
  ],
  'one-answer': [
    [
      'secagg/client.ts',
      'if (before !== undefined)',
      "if (before !== undefined && !['survivors', 'confirms'].includes(input.type))",
    ],
    ['secagg/client.ts', '    forget(state)\n', ''],
    [
      'secagg/client.ts',
      "state: { phase: 'unmasking', facts, mine, survivors, seen, deadline }",
      "state: { ...state, phase: 'collecting', masks: undefined, deadline }",
    ],
  ],
  'directional-macs': [
    ['secagg/context.ts', 'concat(utf8(`fw1/${purpose}`), clientIdBytes(from), clientIdBytes(to))', 'utf8(`fw1/${purpose}`)'],
  ],
  'roster-in-context': [['secagg/context.ts', CONTEXT, CONTEXT.replace('rosterHash(roster), ', '')]],
  'model-in-context': [['secagg/context.ts', CONTEXT, CONTEXT.replace('modelHash, ', '').replace('headHash, ', '')]],
  'config-in-context': [['secagg/context.ts', CONTEXT, CONTEXT.replace('configHash, ', '').replace('headHash, ', '')]],
  'history-in-context': [['secagg/context.ts', CONTEXT, CONTEXT.replace('headHash, ', '')]],
  'mask-keys-authenticated': [
    ['secagg/shares.ts', 'equalBytes(opened.maskKey, dealer.maskKey)', 'true'],
    [
      'secagg/client-setup.ts',
      'if (!verifyMac(received, ackKey(env, facts, peer.id, env.id), context, u1Digest, peer.maskKey, mine.maskKey))',
      'if (false)',
    ],
  ],
  'enough-acks': [['secagg/client-setup.ts', 'if (acked.size >= graph.threshold) return acked', 'return acked']],
  'no-key-on-trust': [['secagg/client-setup.ts', 'if (!held.has(peer.id) && !acked.has(peer.id))', 'if (false)']],
  'every-box-there': [
    ['secagg/client-setup.ts', 'if (boxes.size !== relay.shares.length || boxes.size !== dealers.length)', 'if (false)'],
    [
      'secagg/client-setup.ts',
      'if (dealt === undefined) return violation(`the box of client ${dealer.id} was withheld`)',
      'if (dealt === undefined) continue',
    ],
  ],
  'one-relay': [['secagg/client.ts', 'if (before !== undefined)', "if (before !== undefined && input.type !== 'relay')"]],
  certificates: [
    ['secagg/identity.ts', 'verifyCertificate(check.curves, check.enrolmentKey, certificate, check.now) &&', 'true &&'],
  ],
  'channel-signatures': [
    ['secagg/identity.ts', 'check.curves.verify(certificate.identityKey, statement, channelSignature)', 'true'],
  ],
  'cohort-floor': [
    ['secagg/params.ts', 'if (corrupt + 2 > clients) {', 'if (false) {'],
    ['secagg/params.ts', 'Math.max(options.minimumCohort, corrupt + 2, threshold, staying)', 'threshold'],
  ],
  'own-holders': [['secagg/graph.ts', 'const at = uniformBelow(left, entropy)', 'const at = left - 1']],
  'abort-or-answer': [['secagg/client-abort.ts', "const released = state.phase === 'unmasking'", 'const released = false']],
  'key-for-each-segment': [['secagg/masks.ts', 'concat(info, utf8(segment))', 'info']],
  'secrets-of-one-round': [
    ['secagg/client-start.ts', 'const maskSecret = env.entropy.bytes(KEY_BYTES)', 'const maskSecret = env.channelSecret.slice()'],
    ['secagg/client-start.ts', 'const selfSeed = env.entropy.bytes(KEY_BYTES)', 'const selfSeed = env.identitySeed.slice()'],
    ['secagg/masks.ts', 'hkdfEach(ikm, concat(context, activeDigest), infos)', 'hkdfEach(ikm, new Uint8Array(64), infos)'],
  ],
  'ring-holds-the-sum': [
    [
      'quantise/quantiser.ts',
      'const fewest = Quantiser.ringBits(valueBits, totalWeight)',
      'const fewest = Quantiser.ringBits(valueBits, 2048)',
    ],
  ],
  'share-commitments': [
    [
      'secagg/coordinator-finish.ts',
      'if (expected !== undefined && equalBytes(expected, shareCommitment(facts.context, owner, from, kind, share)))',
      'if (true)',
    ],
  ],
  'one-update': [
    ['secagg/coordinator.ts', "if (state.uploaded.has(input.from)) return rejected(state, duplicate(input.from, 'upload'))", ''],
  ],
  'messages-of-this-round': [
    ['secagg/client.ts', "if ('facts' in state && !isOfRound(state.facts, input)) return { state, effects: [] }", ''],
  ],
} as const satisfies Record<string, readonly Edit[]>

export type Defence = keyof typeof defences
