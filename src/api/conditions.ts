import { WAITING_REASONS, type WaitingReason } from "./reasons.ts";

/**
 * The condition types and every reason that is not one of waiting (rule G2), each with the sentence that says when it appears.
 * Closed: a new one is added here first. Docs, the command line and the tests read these tables.
 */
export const CONDITION_TYPES = {
  Accepted: "The spec can be carried out; False names what to correct. While False nothing new starts.",
  Ready: "It serves within its budget, also while something waits for its window; False when a person must act.",
  Progressing: "A run is in hand: True while it can go on, False while nothing is to be done or something holds it.",
  VersionHealthy: "What the health checks say of the version in hand; Unknown never promotes.",
  Paused: "A person's pause is acknowledged: nothing new starts. Set 10 seconds after the change.",
  Succeeded: "A bounded piece of work is over, and how; Unknown while it goes on.",
  HAReady: "The pair can fail over to a Socket that supports the same; False opens a story with the steps to take.",
  UpToDate: "The site runs the newest version that is announced for it; False says what it waits for.",
  Connected: "Every Socket of the site is connected.",
  FollowsRecommendations: "The account's sites are set up so that maintenance is hardly felt; False lists what would help.",
  Resilient: "The site keeps a tunnel while one of its PoPs is maintained; False says what to add.",
} as const;
export type ConditionType = keyof typeof CONDITION_TYPES;

/** Reasons of a type, beside the waiting ones that `holds` gives. */
export const CONDITION_REASONS = {
  Accepted: {
    NotYetLookedAt: "The operator has not looked at this generation yet.",
    Accepted: "The spec can be carried out.",
    WindowInvalid: "The window is missing, its zone is unknown, or its schedule cannot be read.",
    WindowTooShort: "No occurrence of the window is long enough for one piece.",
    TemplateInvalid: "The API server refuses the DaemonSet that the template makes.",
    QueryInvalid: "A query or comparison of a check does not parse.",
    CredentialsInvalid: "The kubeconfig Secret is missing or cannot be used.",
    ClusterChanged: "The kubeconfig leads to another cluster than before.",
    NoMembers: "The node selector matches no node.",
    VersionUnassigned: "No version is set and no rollout assigned one.",
    FailedBefore: "The wanted revision has a failed verdict.",
    OlderVersion: "The wanted version is older than what runs; only a rollback goes back.",
    AdoptionUnclear: "Somebody else's DaemonSet runs on the same host ports.",
    DrainCannotBeUndone: "The spec gives drain.start without drain.cancel, so a node could not be given back.",
    NotDisruptionFree: "What was asked for as content needs a restart; it has to be rolled as a version.",
    ReachUnsupported: "A check cannot be asked the way that spec.reach says; the message names it and what to write.",
    ContentSourceMissing: "The source of the content does not exist.",
    WrongNamespace: "The kind counts only in the provider's fleet namespace.",
    ChannelNotAllowed: "The provider allows no notices to the host of a channel; it counts as not configured, everything else counts.",
    NoAccount: "The kind counts only in the namespace of an account, which bears the label rollward.dev/account.",
    PoPUnknown: "A PoP that is named does not exist.",
    FreezeInvalid: "A freeze has a date or a zone that cannot be read.",
    StartInvalid: "The start date of the rollout is in the past, or no train departs on it.",
    WavesInvalid: "The waves of the rollout cover nobody, or a PoP twice.",
    RangeInvalid: "The range of versions that the rollout applies to cannot be read.",
    FloorInvalid: "A floor of the rollout cannot be read, or is newer than its version.",
    SupersedesUnknown: "The rollout that this one mends does not exist, or cannot be mended by it.",
    VersionAnnouncedTwice: "An older rollout carries the same version to the same devices; only that one counts.",
    Used: "The Approval was used; that stays when it expires.",
    NothingWaits: "Nothing asks for what the Approval decides; the message says for what it was looked up.",
    RolloutUnknown: "The Approval names a PoPRollout that does not exist.",
    OtherObject: "The Approval names the UID of another PoPRollout of that name.",
    ByRequester: "The Approval is by whoever asked for the rollout; a second person has to decide.",
    NotAnApprover: "The Approval is by somebody who is not among the Fleet's approvers.",
    Expired: "The Approval expired before it was used.",
    OtherDigest: "What waits now has another digest than the Approval names.",
    WrongAction: "What has the Approval's digest asks for another action than it allows.",
    FreezeUnknown: "The Approval lifts freezes by names that no freeze has.",
    SerialNotOwned: "A serial is not enrolled for this account, or another site names it too.",
    ModelMismatch: "The Sockets of the pair are of different models.",
  },
  Ready: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    Serving: "Every member serves, or is out within the budget.",
    Joining: "The first version is being put on the members; nobody is served yet.",
    DegradedBudget: "More members are out of service than maxUnavailable allows.",
    VersionFailed: "A version failed and was taken back; another revision or a retry has to be written.",
    RollbackFailed: "Going back failed too; the nodes named stay out until a person repairs them.",
    FirstVersionFailed: "The first version failed; there is nothing to go back to.",
    NotAccepted: "The spec cannot be carried out; Accepted says why.",
    Unreachable: "The PoP's API server does not answer.",
    Deleting: "The object is being deleted; nodes in hand are finished or given back.",
    NeedsAttention: "A version failed here twice and has its verdict; a newer version or a person's request goes on.",
  },
  Progressing: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    Idle: "Nothing is to be done.",
    Joining: "Nodes that serve nobody get the revision of the PoP.",
    Preflight: "What a roll needs is looked at before the first node.",
    Rolling: "Node after node, site after site or phase after phase gets the new revision.",
    Exposed: "Devices on the faulty version get the fixed one before anybody else.",
    Piloting: "Pilots alone get the version.",
    RollingBack: "Node after node goes back to the revision before.",
    Baking: "The last node was updated; the version bakes before anything follows.",
    Watching: "The version passed its bake and is judged until the watch is over.",
    Promoted: "The version was watched to the end and stays.",
    RolledBack: "The version was taken back; the PoP runs what it ran before.",
    RollbackFailed: "The version could not be taken back; the nodes named stay out.",
    Stopped: "A person stopped the run; the PoP stays mixed and watched.",
    Superseded: "A newer revision took the run's place.",
    Standing: "Everybody is reached; who joins or returns later follows to its version.",
  },
  VersionHealthy: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    Healthy: "Every check passes.",
    Breached: "A check says that the version is bad.",
    HealthUnknown: "Evidence is missing, empty, stale or unreadable.",
    NotEnoughSamples: "Too few sessions or reports for a verdict; that blocks nothing.",
    Excused: "A check fails, and failed on the neighbours before our first write too.",
    NothingToJudge: "No run is in hand.",
  },
  Paused: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    NotPaused: "Nobody paused it.",
    PauseRequested: "The pause is obeyed, and will be acknowledged 10 seconds after the change.",
    PausedByPerson: "Nothing new starts until a person resumes it.",
    PausedByMonitoring: "Failures or a figure of monitoring paused it; nothing new is offered until a person resumes it.",
  },
  Succeeded: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    InProgress: "It goes on.",
    Completed: "It reached everything that it was for.",
    Failed: "It ended without reaching what it was for.",
  },
  HAReady: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    PairReady: "Every check of the pair is ready.",
    SingleSocket: "The site has one Socket, so nothing takes over when it fails.",
    IncompatibleMajorVersions: "The Sockets run different majors; after a failover, features of the newer ones do not work.",
    Upgrading: "The pair is on two majors while its own upgrade goes on inside its window.",
    KeepaliveLost: "The Sockets do not hear each other.",
    PartnerNotConnected: "A Socket of the pair is not connected.",
    ModelMismatch: "The Sockets of the pair are of different models.",
    StateUnknown: "The Sockets do not agree which of them is active, or have not said it.",
  },
  UpToDate: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    Current: "It runs the newest version that is announced for it.",
    Planned: "A newer version is planned for it.",
    Upgrading: "A newer version is being installed or verified.",
    Behind: "A newer version is out, and something holds it here.",
    NothingAnnounced: "No rollout applies to it.",
  },
  Connected: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    Connected: "Every Socket has polled in time.",
    SomeNotConnected: "One Socket of the pair has not polled in time.",
    NotConnected: "No Socket of the site has polled in time.",
    NeverSeen: "No Socket of the site has ever polled.",
    InventoryUnavailable: "The inventory does not answer, so nothing is known of its Sockets.",
  },
  FollowsRecommendations: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    Follows: "Nothing is to be recommended.",
    CouldDoBetter: "Some sites are felt by maintenance more than they need to be; status.advice says which and why.",
  },
  Resilient: {
    NotYetLookedAt: "The operator has not looked at it yet.",
    DualPoP: "Tunnels end in two different PoPs, which are never disrupted together.",
    NotObserved: "No PoP has reported a tunnel of the site yet; what is claimed limits nothing.",
    NoSecondTunnel: "The site has a tunnel to one PoP alone, so that PoP's maintenance costs it minutes.",
    SecondTunnelUnseen: "A second tunnel is claimed, and its PoP has not reported it.",
    SamePoPTwice: "Both tunnels end in one PoP, so its maintenance takes both.",
    TunnelDown: "A PoP reports that its tunnel is down.",
    TunnelUnknown: "A PoP has not told of its tunnel for an hour; it counts as if it were there.",
  },
} as const satisfies Record<ConditionType, Readonly<Record<string, string>>>;

/** What a condition of this type may give as its reason: its own, and what is waited for. */
export type ConditionReason<Type extends ConditionType> = keyof (typeof CONDITION_REASONS)[Type] | WaitingReason;

/** The sentence of a reason, whichever table has it; undefined for a reason that Rollward does not give. */
export function sentenceOf(type: string, reason: string): string | undefined {
  const ofType: Readonly<Record<string, string>> | undefined = Object.hasOwn(CONDITION_REASONS, type)
    ? CONDITION_REASONS[type as ConditionType]
    : undefined;
  if (ofType && Object.hasOwn(ofType, reason)) return ofType[reason];
  return Object.hasOwn(WAITING_REASONS, reason) ? WAITING_REASONS[reason as WaitingReason] : undefined;
}
