using System.Collections.Immutable;
using System.Globalization;

namespace CcmFhir.Journal;

/// <summary>What a stream says by its newest entry: every version of every resource, and what became of each claim.
/// Immutable; a later state shares what did not change, so that an append costs by the size of the append.</summary>
internal sealed class StreamRecord
{
    private readonly ImmutableDictionary<string, ResourceVersions> resources;
    private readonly ImmutableDictionary<string, ClaimJourney> claims;
    private readonly IReadOnlyCollection<string>? missing;

    private StreamRecord(
        string stream,
        long position,
        long bytes,
        ImmutableDictionary<string, ResourceVersions> resources,
        ImmutableDictionary<string, ClaimJourney> claims,
        IReadOnlyCollection<string>? missing = null
    )
    {
        this.missing = missing;
        Stream = stream;
        Position = position;
        Bytes = bytes;
        this.resources = resources;
        this.claims = claims;
    }

    /// <summary>Name of the stream.</summary>
    public string Stream { get; }

    /// <summary>Position of the newest entry folded in; 0 for a stream that is not there, <see cref="StreamAppend.End"/> for one that was not read.</summary>
    public long Position { get; }

    /// <summary>Payload bytes held, for the cache's bound.</summary>
    public long Bytes { get; }

    /// <summary>It holds everything that the stream says; otherwise it is <see cref="Unread"/>.</summary>
    public bool IsWhole => missing is null;

    /// <summary>Each resource with its versions, deleted ones included, in no order.</summary>
    public IEnumerable<ResourceVersions> Resources => Whole(resources).Values;

    /// <summary>Claims that we issued, in no order.</summary>
    public IEnumerable<ClaimJourney> Claims => Whole(claims).Values;

    /// <summary>A stream without entries.</summary>
    public static StreamRecord Empty(string stream) =>
        new(
            stream,
            0,
            0,
            ImmutableDictionary.Create<string, ResourceVersions>(StringComparer.Ordinal),
            ImmutableDictionary.Create<string, ClaimJourney>(StringComparer.Ordinal)
        );

    /// <summary>A stream that was not read and is taken not to hold some resources, which the append proves. Good to append these to; to be asked
    /// for nothing else.</summary>
    /// <param name="stream">Its name.</param>
    /// <param name="missing">References <c>Type/id</c> of what it does not hold.</param>
    public static StreamRecord Unread(string stream, IReadOnlyCollection<string> missing) =>
        new(
            stream,
            StreamAppend.End,
            0,
            ImmutableDictionary.Create<string, ResourceVersions>(StringComparer.Ordinal),
            ImmutableDictionary.Create<string, ClaimJourney>(StringComparer.Ordinal),
            missing
        );

    /// <summary>A stream that holds these resources and was written by nobody's request.</summary>
    /// <param name="stream">Its name.</param>
    /// <param name="resources">One version of each.</param>
    /// <param name="by">Who brought them.</param>
    public static StreamRecord Of(string stream, IEnumerable<StoredResource> resources, string by) =>
        new(
            stream,
            0,
            0,
            resources.ToImmutableDictionary(
                resource => resource.Reference,
                resource => new ResourceVersions(resource, by, null),
                StringComparer.Ordinal
            ),
            ImmutableDictionary.Create<string, ClaimJourney>(StringComparer.Ordinal)
        );

    /// <summary>The versions of a resource; null when it was never there.</summary>
    public ResourceVersions? Find(string type, string id) => Find(Key(type, id));

    /// <summary>The resource that a reference <c>Type/id</c> names, deleted or not; null when it was never here.</summary>
    /// <exception cref="InvalidOperationException">The stream was not read, and this was not asked for when it was left unread.</exception>
    public ResourceVersions? Find(string reference) =>
        resources.TryGetValue(reference, out var found) ? found
        : missing is null || missing.Contains(reference) ? null
        : throw NotRead();

    /// <summary>The claim of that logical id; null when we issued none.</summary>
    public ClaimJourney? Claim(string id) => Whole(claims).GetValueOrDefault(id);

    /// <summary>The state after further entries, which must follow <see cref="Position"/> without a gap.</summary>
    /// <exception cref="InvalidDataException">An entry cannot be read, or does not follow.</exception>
    /// <exception cref="InvalidOperationException">The stream was not read.</exception>
    public StreamRecord After(IReadOnlyList<JournalEntry> entries)
    {
        if (entries.Count == 0)
        {
            return this;
        }
        var next = new Folding(this);
        foreach (var entry in entries)
        {
            if (entry.Position != next.Position + 1)
            {
                throw new InvalidDataException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Entry {entry.Position} follows entry {next.Position} of a stream: one is missing."
                    )
                );
            }
            next.Add(EntryPayload.FromBytes(entry.Payload), entry.Payload.Length);
        }
        return next.ToRecord();
    }

    /// <summary>The state after one more entry, made here and not read yet.</summary>
    /// <param name="payload">What it says.</param>
    /// <param name="bytes">Its length as journalled.</param>
    /// <exception cref="InvalidOperationException">The stream was not read.</exception>
    public StreamRecord After(EntryPayload payload, int bytes)
    {
        var next = new Folding(this);
        next.Add(payload, bytes);
        return next.ToRecord();
    }

    private T Whole<T>(T held) => IsWhole ? held : throw NotRead();

    private static InvalidOperationException NotRead() =>
        new("What a stream holds was asked of a stream that was not read.");

    private static string Key(string type, string id) => string.Concat(type, "/", id);

    private sealed class Folding(StreamRecord before)
    {
        private readonly ImmutableDictionary<string, ResourceVersions>.Builder resources = before
            .Whole(before.resources)
            .ToBuilder();
        private readonly ImmutableDictionary<string, ClaimJourney>.Builder claims = before.claims.ToBuilder();
        private long bytes = before.Bytes;

        public long Position { get; private set; } = before.Position;

        public StreamRecord ToRecord() =>
            new(before.Stream, Position, bytes, resources.ToImmutable(), claims.ToImmutable());

        public void Add(EntryPayload payload, int length)
        {
            Position++;
            bytes += length;
            foreach (var record in payload.Records)
            {
                if (record.Kind is RecordKind.Put or RecordKind.Delete or RecordKind.ClaimIssued)
                {
                    AddVersion(payload, record);
                }
                if (record.Kind is RecordKind.ClaimIssued)
                {
                    claims[record.Id] = new ClaimJourney(record.Id, record.Body, []).With(
                        record.Kind,
                        payload.At,
                        record.Body,
                        Position
                    );
                }
                else if (record.Kind >= RecordKind.ClaimSent)
                {
                    if (!claims.TryGetValue(record.Id, out var claim))
                    {
                        throw new InvalidDataException(
                            $"Entry {Position} of a stream speaks of a claim that was never issued."
                        );
                    }
                    claims[record.Id] = claim.With(record.Kind, payload.At, record.Body, Position);
                }
            }
        }

        private void AddVersion(EntryPayload payload, JournalRecord record)
        {
            var key = Key(record.Type, record.Id);
            var earlier = resources.GetValueOrDefault(key);
            var stored = new StoredResource(
                record.Type,
                record.Id,
                record.Version.ToString(CultureInfo.InvariantCulture),
                StoredResource.Made(payload.At, earlier?.Current),
                record.Body
            );
            resources[key] = new ResourceVersions(stored, payload.By, earlier) { Correlation = payload.Correlation };
        }
    }
}

/// <summary>A resource's newest version and the way back to its older ones.</summary>
/// <param name="Current">The newest version; it may be a deletion.</param>
/// <param name="By">Client that brought it.</param>
/// <param name="Previous">The version before; null for the first.</param>
internal sealed record ResourceVersions(StoredResource Current, string By, ResourceVersions? Previous)
{
    /// <summary>What follows the request that brought it; may be empty.</summary>
    public string Correlation { get; init; } = "";

    /// <summary>What a reader made of the version, kept for the next time; a reader looks whether it is his.</summary>
    public object? Read { get; set; }

    /// <summary>Versions, newest first.</summary>
    public IEnumerable<ResourceVersions> NewestFirst()
    {
        for (var version = this; version is not null; version = version.Previous)
        {
            yield return version;
        }
    }
}

/// <summary>Where a claim stands with the EHR.</summary>
internal enum ClaimState
{
    /// <summary>Issued and not answered yet: it is pushed (again).</summary>
    Issued,

    /// <summary>The EHR has it.</summary>
    Accepted,

    /// <summary>The EHR refused it for good.</summary>
    Refused,
}

/// <summary>A claim that we issued, and what became of it.</summary>
/// <param name="Id">Logical id of the Claim.</param>
/// <param name="Json">The Claim as issued.</param>
/// <param name="Events">What happened, oldest first; the first is its issue.</param>
internal sealed record ClaimJourney(string Id, ReadOnlyMemory<byte> Json, ImmutableList<ClaimEvent> Events)
{
    /// <summary>Where it stands: the last answer that decides, if there was one and nothing took it back.</summary>
    public ClaimState State =>
        Events
            .FindLast(step =>
                step.Kind
                    is RecordKind.ClaimAccepted
                        or RecordKind.ClaimRefused
                        or RecordKind.ClaimForgotten
                        or RecordKind.ClaimResent
            )
            ?.Kind switch
        {
            RecordKind.ClaimAccepted => ClaimState.Accepted,
            RecordKind.ClaimRefused => ClaimState.Refused,
            _ => ClaimState.Issued,
        };

    /// <summary>The journey with one more event.</summary>
    public ClaimJourney With(RecordKind kind, DateTimeOffset at, ReadOnlyMemory<byte> body, long position) =>
        this with
        {
            Events = Events.Add(new ClaimEvent(kind, at, body, position)),
        };
}

/// <summary>One step of a claim's journey.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Body">The EHR's answer or what is known of the failure, JSON.</param>
/// <param name="Position">Journal position of the entry that says so.</param>
internal sealed record ClaimEvent(RecordKind Kind, DateTimeOffset At, ReadOnlyMemory<byte> Body, long Position);
