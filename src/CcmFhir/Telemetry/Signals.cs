using System.Diagnostics;
using System.Diagnostics.Metrics;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Telemetry;

/// <summary>What the program tells about itself: counts and traces, of practices, rules and states, never of persons. Names are kept, since alerts
/// and dashboards ask for them (<c>docs/runbook.md</c>).</summary>
internal static class Signals
{
    /// <summary>Name of traces and meters.</summary>
    public const string Name = "CcmFhir";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Resources = Meter.CreateCounter<long>(
        "ccm.ingest.resources",
        "{resource}",
        "Resources sent to us, by practice, type and outcome (taken, refused)."
    );

    private static readonly Counter<long> ValidationErrors = Meter.CreateCounter<long>(
        "ccm.validation.errors",
        "{error}",
        "Errors that kept resources out, by rule."
    );

    private static readonly Counter<long> Commits = Meter.CreateCounter<long>(
        "ccm.journal.commits",
        "{commit}",
        "Commits that the embedded journal made durable."
    );

    private static readonly Counter<long> Flushes = Meter.CreateCounter<long>(
        "ccm.journal.flushes",
        "{flush}",
        "Flushes of the embedded journal's log that they took: one for all commits that waited together."
    );

    private static readonly Counter<double> Minutes = Meter.CreateCounter<double>(
        "ccm.time.counted",
        "min",
        "Minutes that count, of patients whose claim was issued, by practice."
    );

    private static readonly Counter<long> Claims = Meter.CreateCounter<long>(
        "ccm.claims",
        "{claim}",
        "Claims by the state that they came into (ClaimIssued, ClaimSent, ClaimAccepted, ClaimRefused ...)."
    );

    private static readonly Counter<long> Patients = Meter.CreateCounter<long>(
        "ccm.close.patients",
        "{patient}",
        "Patients of shards that were closed, by practice and month."
    );

    private static readonly Counter<long> Shards = Meter.CreateCounter<long>(
        "ccm.close.shards",
        "{shard}",
        "Shards sent out and closed, by practice, month and state."
    );

    private static readonly Counter<long> Failed = Meter.CreateCounter<long>(
        "ccm.close.failed",
        "{shard}",
        "Shards that were given up after their last try, by practice and month."
    );

    private static readonly Gauge<long> Poison = Meter.CreateGauge<long>(
        "ccm.queue.poison",
        "{message}",
        "Messages that were put aside after their last try, by queue."
    );

    /// <summary>Names of all metrics.</summary>
    public static IReadOnlyList<string> Metrics { get; } =
    [
        Resources.Name,
        ValidationErrors.Name,
        Commits.Name,
        Flushes.Name,
        Minutes.Name,
        Claims.Name,
        Patients.Name,
        Shards.Name,
        Failed.Name,
        Poison.Name,
    ];

    /// <summary>What follows a request through logs, journal and the claim that it leads to: its trace context (W3C <c>traceparent</c>), or the
    /// connection's id where nobody traces.</summary>
    public static string Correlation(HttpContext http) => Activity.Current?.Id ?? http.TraceIdentifier;

    /// <summary>The same for what is not a request; empty where nobody traces.</summary>
    public static string Correlation() => Activity.Current?.Id ?? "";

    /// <summary>Begins a piece of work in the trace that caused it, however long ago that was.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="cause">Trace context of the cause; null or no trace context for none.</param>
    public static Activity? Continue(string name, string? cause) =>
        Source.StartActivity(name, ActivityKind.Consumer, Context(cause) ?? default);

    /// <summary>Begins a piece of work of its own that others led to.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="causes">Their trace contexts; what is none is left out.</param>
    public static Activity? Begin(string name, IEnumerable<string> causes) =>
        Source.StartActivity(
            name,
            ActivityKind.Internal,
            parentContext: default,
            links: causes
                .Distinct(StringComparer.Ordinal)
                .Select(Context)
                .OfType<ActivityContext>()
                .Select(context => new ActivityLink(context))
        );

    /// <summary>Resources came in; each is taken or refused.</summary>
    public static void Received(string practice, IReadOnlyList<Entry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Verb == Verb.Get)
            {
                continue;
            }
            Resources.Add(
                1,
                new("practice", practice),
                new("type", entry.Type),
                new("outcome", entry.Refused ? "refused" : "taken")
            );
            foreach (var issue in entry.Issues.Where(issue => issue.Severity <= Severity.Error))
            {
                ValidationErrors.Add(1, new KeyValuePair<string, object?>("rule", issue.Rule));
            }
        }
    }

    /// <summary>So many commits were made durable by one flush.</summary>
    public static void Flushed(int commits)
    {
        Commits.Add(commits);
        Flushes.Add(1);
    }

    /// <summary>A claim came into a state.</summary>
    public static void Claim(string practice, RecordKind state) =>
        Claims.Add(1, new("practice", practice), new("state", state.ToString()));

    /// <summary>A claim was issued for so much time.</summary>
    public static void Counted(string practice, MonthDecision decision) =>
        Minutes.Add(decision.Time.Counted / 60.0, new KeyValuePair<string, object?>("practice", practice));

    /// <summary>A shard was sent out.</summary>
    public static void ShardSent(string practice, string month) =>
        Shards.Add(1, new("practice", practice), new("month", month), new("state", "sent"));

    /// <summary>A shard was closed.</summary>
    public static void ShardClosed(string practice, string month, int patients)
    {
        Shards.Add(1, new("practice", practice), new("month", month), new("state", "closed"));
        Patients.Add(patients, new("practice", practice), new("month", month));
    }

    /// <summary>A shard was given up.</summary>
    public static void ShardGivenUp(string practice, string month) =>
        Failed.Add(1, new("practice", practice), new("month", month));

    /// <summary>So many messages of a queue are put aside now.</summary>
    public static void PutAside(string queue, int messages) =>
        Poison.Record(messages, new KeyValuePair<string, object?>("queue", queue));

    private static ActivityContext? Context(string? cause) =>
        ActivityContext.TryParse(cause, traceState: null, isRemote: true, out var context) ? context : null;
}
