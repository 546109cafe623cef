using System.Text;

namespace CcmFhir.Validation.Terminology;

/// <summary>Codes of one code system: all of them, or some. Immutable.</summary>
public abstract class Codes
{
    /// <summary>Whether the code is one of them.</summary>
    public abstract Membership Find(ReadOnlySpan<byte> code);

    /// <summary>The codes that can be listed, for suggestions; empty where only a syntax or nothing is known.</summary>
    public virtual IEnumerable<string> Listed => [];

    /// <summary>False when some answers are <see cref="Membership.NotKnown"/>.</summary>
    public virtual bool IsWhole => true;
}

/// <summary>Codes given one by one.</summary>
internal sealed class ListedCodes(IEnumerable<string> codes, bool isWhole, bool ignoreCase) : Codes
{
    private readonly Utf8Set set = new(codes, ignoreCase);

    public override bool IsWhole => isWhole;

    public override IEnumerable<string> Listed
    {
        get
        {
            for (var index = 0; index < set.Count; index++)
            {
                yield return Encoding.UTF8.GetString(set[index]);
            }
        }
    }

    public override Membership Find(ReadOnlySpan<byte> code) =>
        set.Contains(code) ? Membership.In
        : isWhole ? Membership.NotIn
        : Membership.NotKnown;
}

/// <summary>Codes of a system of which nothing is at hand.</summary>
internal sealed class UnknownCodes : Codes
{
    public static readonly UnknownCodes Instance = new();

    public override bool IsWhole => false;

    public override Membership Find(ReadOnlySpan<byte> code) => Membership.NotKnown;
}
