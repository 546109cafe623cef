namespace CcmFhir.Validation.Terminology;

/// <summary>Whether a code belongs to a set. Three answers: what is not known here is never reported as wrong.</summary>
public enum Membership
{
    /// <summary>It belongs.</summary>
    In,

    /// <summary>It does not.</summary>
    NotIn,

    /// <summary>It cannot be told here: the set rests on a code system whose codes are not at hand.</summary>
    NotKnown,
}

internal static class MembershipLogic
{
    /// <summary>In both.</summary>
    public static Membership And(this Membership left, Membership right) =>
        left == Membership.NotIn || right == Membership.NotIn ? Membership.NotIn
        : left == Membership.NotKnown || right == Membership.NotKnown ? Membership.NotKnown
        : Membership.In;

    /// <summary>In either.</summary>
    public static Membership Or(this Membership left, Membership right) =>
        left == Membership.In || right == Membership.In ? Membership.In
        : left == Membership.NotKnown || right == Membership.NotKnown ? Membership.NotKnown
        : Membership.NotIn;

    /// <summary>Not in it.</summary>
    public static Membership Not(this Membership membership) =>
        membership switch
        {
            Membership.In => Membership.NotIn,
            Membership.NotIn => Membership.In,
            _ => Membership.NotKnown,
        };
}
