using System.Text;

namespace CcmFhir.Validation.Terminology;

/// <summary>A ValueSet made ready for questions. Immutable and thread-safe; a question allocates nothing.</summary>
public sealed class ValueSetCodes
{
    private readonly Func<Content> compile;
    private Content? content;

    internal ValueSetCodes(string canonical, Func<Content> compile)
    {
        Canonical = canonical;
        this.compile = compile;
    }

    /// <summary>Canonical as it was asked for.</summary>
    public string Canonical { get; }

    /// <summary>Canonicals of code systems and ValueSets that it rests on and of which the content is not at hand;
    /// empty when every question has an answer.</summary>
    public IReadOnlyList<string> NotKnown => Ready.NotKnown;

    // Worked out when the first question comes: most sets of a profile are never asked.
    private Content Ready => content ?? Interlocked.CompareExchange(ref content, compile(), null) ?? content;

    /// <summary>A code of a known system (both unescaped UTF-8).</summary>
    public Membership Find(ReadOnlySpan<byte> system, ReadOnlySpan<byte> code)
    {
        var result = Membership.NotIn;
        foreach (var part in Ready.Includes)
        {
            result = result.Or(part.Find(system, code));
            if (result == Membership.In)
            {
                break;
            }
        }
        if (result != Membership.NotIn)
        {
            foreach (var part in Ready.Excludes)
            {
                result = result.And(part.Find(system, code).Not());
            }
        }
        return result;
    }

    /// <summary>A bare code (an element of type code, uri or string): in the set under any of its systems.</summary>
    public Membership Find(ReadOnlySpan<byte> code)
    {
        var result = Membership.NotIn;
        foreach (var part in Ready.Includes)
        {
            var found = part.Find(code);
            foreach (var other in Ready.Excludes)
            {
                if (found != Membership.NotIn)
                {
                    // What is excluded is excluded of the same system only.
                    found = found.And((part.System is { } system ? other.Find(system, code) : other.Find(code)).Not());
                }
            }
            result = result.Or(found);
            if (result == Membership.In)
            {
                break;
            }
        }
        return result;
    }

    /// <summary>An element of type code, uri or string.</summary>
    public Membership OfCode(FhirElement code)
    {
        return Find(Utf8(code));
    }

    /// <summary>A Coding or Quantity. Without a code: not in. Without a system: not in, since such a code means nothing.</summary>
    public Membership OfCoding(FhirElement coding)
    {
        var code = coding["code"u8];
        var system = coding["system"u8];
        return code.Kind == JsonKind.String && system.Kind == JsonKind.String
            ? Find(Utf8(system), Utf8(code))
            : Membership.NotIn;
    }

    /// <summary>A CodeableConcept: one coding that is in suffices. Without any coding: not in.</summary>
    public Membership OfConcept(FhirElement concept)
    {
        var result = Membership.NotIn;
        var codings = concept["coding"u8];
        if (codings.Exists)
        {
            foreach (var coding in codings.Items)
            {
                result = result.Or(OfCoding(coding));
            }
        }
        return result;
    }

    /// <summary>The code that somebody probably meant; null when nothing is near.</summary>
    /// <param name="system">The system they named; null for a bare code.</param>
    /// <param name="code">The code that is not in the set.</param>
    public string? Nearest(string? system, string code)
    {
        var named = system is null ? null : Encoding.UTF8.GetBytes(system);
        return NearestCode.To(
            code,
            Ready
                .Includes.SelectMany(part => part.Listed(named))
                .Where(candidate =>
                    (
                        named is null
                            ? Find(Encoding.UTF8.GetBytes(candidate))
                            : Find(named, Encoding.UTF8.GetBytes(candidate))
                    ) == Membership.In
                )
        );
    }

    /// <summary>Codes of the set that can be listed, with their system (null when any), in the order of the ValueSet; for messages.</summary>
    public IEnumerable<(string? System, string Code)> Listed() =>
        Ready
            .Includes.SelectMany(part => part.Listed())
            .Where(pair =>
                (
                    pair.System is null
                        ? Find(Encoding.UTF8.GetBytes(pair.Code))
                        : Find(Encoding.UTF8.GetBytes(pair.System), Encoding.UTF8.GetBytes(pair.Code))
                ) == Membership.In
            )
            .Distinct();

    /// <summary>The text of a JSON string as UTF-8; allocates only where the source has escapes.</summary>
    private static ReadOnlySpan<byte> Utf8(FhirElement text)
    {
        if (text.Kind != JsonKind.String)
        {
            return [];
        }
        var raw = text.Raw[1..^1];
        return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(text.Text!) : raw;
    }

    internal sealed record Content(Part[] Includes, Part[] Excludes, IReadOnlyList<string> NotKnown);

    /// <summary>One include or exclude: codes of a system that are also in every nested set.</summary>
    internal sealed class Part(byte[]? system, Codes? codes, ValueSetCodes[] nested)
    {
        public byte[]? System => system;

        public Membership Find(ReadOnlySpan<byte> asked, ReadOnlySpan<byte> code)
        {
            if (system is not null && !asked.SequenceEqual(system))
            {
                return Membership.NotIn;
            }
            var result = codes?.Find(code) ?? Membership.In;
            foreach (var set in nested)
            {
                if (result == Membership.NotIn)
                {
                    break;
                }
                result = result.And(set.Find(asked, code));
            }
            return result;
        }

        public Membership Find(ReadOnlySpan<byte> code)
        {
            if (system is not null)
            {
                return Find(system, code);
            }
            var result = codes?.Find(code) ?? Membership.In;
            foreach (var set in nested)
            {
                result = result.And(set.Find(code));
            }
            return result;
        }

        public IEnumerable<string> Listed(byte[]? asked) =>
            from pair in Listed()
            where
                asked is null
                || pair.System is null
                || Encoding.UTF8.GetBytes(pair.System).AsSpan().SequenceEqual(asked)
            select pair.Code;

        public IEnumerable<(string? System, string Code)> Listed()
        {
            var own = system is null ? null : Encoding.UTF8.GetString(system);
            return codes is not null
                ? codes.Listed.Select(code => (own, code))
                : nested.SelectMany(set => set.Listed());
        }
    }
}
