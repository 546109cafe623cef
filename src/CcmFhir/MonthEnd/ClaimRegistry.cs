using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CcmFhir.Domain;
using CcmFhir.Export;
using CcmFhir.Fhir.Readers;
using CcmFhir.Journal;

namespace CcmFhir.MonthEnd;

/// <summary>A place in the registry that a claim would take.</summary>
/// <param name="Key">Index key.</param>
/// <param name="Held">What the key holds now; null for nothing.</param>
internal sealed record RegistryPlace(string Key, string? Held);

/// <summary>One biller a month (rules W2) across the practices of one deployment: who issues first has the month, the others are told (CCM-K01).
/// A void gives the month back.</summary>
/// <remarks>
/// The registry is index entries, written in the same commit as the claim, first writer wins. Their keys are an HMAC of the Medicare Beneficiary
/// Identifier with a key that lies in the journal, so that a list of the index names nobody. A value is <c>claim milliseconds stream</c>; whether the
/// month is still taken is always read from that stream. An entry whose claim never came (a process that died between the two writes of a Blob
/// store) holds the month for an hour, longer than any commit takes.
/// </remarks>
/// <param name="records">The journal.</param>
internal sealed class ClaimRegistry(StreamRecords records)
{
    private const string Prefix = "registry/";
    private const string SecretStream = "registry/key";
    private const int MbiLength = 11;
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    private byte[]? secret;

    /// <summary>The entry is one of the registry.</summary>
    public static bool IsEntry(string? key) => key?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    /// <summary>Holds a decision against the registry.</summary>
    /// <param name="record">The patient's stream.</param>
    /// <param name="decision">The decision by the patient's own facts.</param>
    /// <param name="now">Now.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The decision, denied with CCM-K01 where another biller has the month, and the places that its claim takes.</returns>
    public async ValueTask<(MonthDecision Decision, IReadOnlyList<RegistryPlace> Places)> AskAsync(
        StreamRecord record,
        MonthDecision decision,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        if (Program(decision.Program, decision.Potential) is not { } program)
        {
            return (decision, []);
        }
        var places = new List<RegistryPlace>();
        foreach (var mbi in Identifiers(record, decision.MemberId))
        {
            var key = await KeyAsync(mbi, decision.Month, program, cancel);
            var held = await records.Store.FindAsync(key, cancel);
            if (held is not null && await TakenAsync(held, record.Stream, decision.Month, now, cancel))
            {
                return (
                    decision.BilledElsewhere(
                        "Another practice of this deployment, or another record of the same person, has billed the month: one practitioner is paid for care management in a calendar month. A void there gives it back"
                    ),
                    []
                );
            }
            places.Add(new RegistryPlace(key, held));
        }
        return (decision, places);
    }

    /// <summary>The index entries that go into the commit of a claim.</summary>
    public static IEnumerable<IndexEntry> Entries(
        IReadOnlyList<RegistryPlace> places,
        string claim,
        DateTimeOffset at,
        string stream
    ) => places.Select(place => new IndexEntry(place.Key, Value(claim, at, stream), place.Held));

    /// <summary>The entries of the claims that stand in a stream, to make the index anew.</summary>
    public async ValueTask<IReadOnlyList<IndexEntry>> StandingAsync(StreamRecord record, CancellationToken cancel)
    {
        var entries = new List<IndexEntry>();
        foreach (var claim in MonthReading.Standing(MonthReading.Issued(record)))
        {
            var codes = claim.Lines.Select(line => line.Code).ToList();
            var program = codes.Exists(code => code is "G0556" or "G0557" or "G0558") ? "apcm" : "ccm";
            if (Program(program, claim.Lines) is null || codes.Exists(IsPrincipalCare))
            {
                continue;
            }
            foreach (var mbi in Identifiers(record, memberId: null))
            {
                entries.Add(
                    new IndexEntry(
                        await KeyAsync(mbi, claim.Month, program, cancel),
                        Value(claim.Id, claim.Journey.Events[0].At, record.Stream)
                    )
                );
            }
        }
        return entries;
    }

    // Principal care may be billed by a specialist beside; G0506 is the initiating visit's, once for each practitioner.
    private static string? Program(string program, IReadOnlyList<ClaimLine> lines) =>
        program is "ccm" or "apcm" && lines.Any(line => line.Code != "G0506") ? program : null;

    private static bool IsPrincipalCare(string code) => code is "99424" or "99425" or "99426" or "99427";

    private async ValueTask<bool> TakenAsync(
        string held,
        string stream,
        ServiceMonth month,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var parts = held.Split(' ', 3);
        if (parts[2] == stream)
        {
            return false;
        }
        var holder = await records.ReadAsync(parts[2], cancel);
        var claims = MonthReading.Issued(holder).Where(claim => claim.Month == month).ToList();
        return claims.Exists(claim => claim.Id == parts[0])
            ? claims[^1].Lines.Count > 0
            : now.ToUnixTimeMilliseconds() - long.Parse(parts[1], CultureInfo.InvariantCulture)
                < Patience.TotalMilliseconds;
    }

    private static string Value(string claim, DateTimeOffset at, string stream) =>
        string.Create(CultureInfo.InvariantCulture, $"{claim} {at.ToUnixTimeMilliseconds()} {stream}");

    /// <summary>The patient's Medicare numbers: of the Patient, and of the coverage where it has the form of one.</summary>
    private static IEnumerable<string> Identifiers(StreamRecord record, string? memberId)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var version in record.Resources.Select(versions => versions.Current))
        {
            var resource = version.Type is "Patient" or "Coverage" ? ClaimFileReader.Parsed(version) : default;
            foreach (var identifier in resource["identifier"u8].Items)
            {
                if (identifier["system"u8].Text == Codes.Mbi)
                {
                    Add(identifier["value"u8].Text);
                }
            }
        }
        Add(memberId);
        return found;

        // With or without the hyphens of the card.
        void Add(string? text)
        {
            var plain = string.Concat((text ?? "").Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
            if (plain.Length == MbiLength && char.IsAsciiDigit(plain[0]) && char.IsAsciiLetter(plain[1]))
            {
                found.Add(plain);
            }
        }
    }

    private async ValueTask<string> KeyAsync(string mbi, ServiceMonth month, string program, CancellationToken cancel)
    {
        secret ??= await SecretAsync(cancel);
        return $"{Prefix}{Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(mbi)))}/{month}/{program}";
    }

    // Every instance and the command line share it, and it outlives them; whoever appends it first has made it.
    private async ValueTask<byte[]> SecretAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (await records.Store.ReadAsync(SecretStream, 0, cancel) is [{ } entry, ..])
            {
                return entry.Payload.ToArray();
            }
            _ = await records.Store.AppendAsync(
                new JournalCommit([new StreamAppend(SecretStream, 0, RandomNumberGenerator.GetBytes(32))], []),
                cancel
            );
        }
    }
}
