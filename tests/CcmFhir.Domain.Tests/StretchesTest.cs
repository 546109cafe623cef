using CsCheck;

namespace CcmFhir.Domain.Tests;

/// <summary>Sets of seconds against a set of booleans, and months against a calendar.</summary>
public class StretchesTest
{
    private const int Seconds = 60;

    private static readonly Gen<Stretch[]> Some = Gen.Select(
        Gen.Int[0, Seconds - 1],
        Gen.Int[0, 12],
        (start, length) => new Stretch(start, Math.Min(Seconds, start + length))
    ).Array[0, 8];

    [Fact]
    public void Union_is_the_seconds_of_any() =>
        Some.Holds(stretches => Seconds_(Stretches.Of(stretches)).SequenceEqual(Mask(stretches)));

    [Fact]
    public void Stretches_neither_touch_nor_overlap_nor_are_empty() =>
        Some.Holds(stretches =>
        {
            var set = Stretches.Of(stretches);
            return set.All(part => part.Seconds > 0)
                && set.Zip(set.Skip(1)).All(pair => pair.First.End < pair.Second.Start)
                && set.Seconds == Mask(stretches).Count(one => one);
        });

    [Fact]
    public void And_or_without_are_those_of_sets() =>
        Gen.Select(Some, Some)
            .Holds(pair =>
            {
                var (left, right) = (Stretches.Of(pair.Item1), Stretches.Of(pair.Item2));
                var (mine, yours) = (Mask(pair.Item1), Mask(pair.Item2));
                return Seconds_(left.Or(right)).SequenceEqual(mine.Zip(yours, (a, b) => a || b))
                    && Seconds_(left.And(right)).SequenceEqual(mine.Zip(yours, (a, b) => a && b))
                    && Seconds_(left.Without(right)).SequenceEqual(mine.Zip(yours, (a, b) => a && !b));
            });

    [Fact]
    public void The_first_seconds_are_the_earliest() =>
        Gen.Select(Some, Gen.Int[0, Seconds + 5])
            .Holds(pair =>
            {
                var set = Stretches.Of(pair.Item1);
                var first = set.First(pair.Item2);
                return first.Seconds == Math.Min(pair.Item2, set.Seconds)
                    && (
                        first.Count == 0
                        || set.Without(first).Count == 0
                        || first[^1].End <= set.Without(first)[0].Start
                    )
                    && first.Without(set).Count == 0;
            });

    [Theory]
    [InlineData(0, 10, 5, 15, true)]
    [InlineData(0, 10, 10, 15, false)]
    [InlineData(0, 10, 3, 3, false)]
    [InlineData(5, 15, 0, 6, true)]
    [InlineData(3, 3, 0, 10, false)]
    [InlineData(0, 10, 20, 30, false)]
    [InlineData(20, 30, 0, 10, false)]
    public void Overlap_is_a_shared_second(long start, long end, long otherStart, long otherEnd, bool overlaps)
    {
        new Stretch(start, end).Overlaps(new Stretch(otherStart, otherEnd)).ShouldBe(overlaps);
        (new Stretch(start, end).Within(new Stretch(otherStart, otherEnd)).Seconds > 0).ShouldBe(overlaps);
    }

    [Theory]
    [InlineData(0, 10, 5, 15, 5, 10)]
    [InlineData(0, 10, 20, 30, 20, 20)]
    [InlineData(20, 30, 0, 10, 20, 20)]
    [InlineData(0, 30, 10, 20, 10, 20)]
    public void What_two_share_never_ends_before_it_starts(
        long start,
        long end,
        long otherStart,
        long otherEnd,
        long sharedStart,
        long sharedEnd
    ) =>
        new Stretch(start, end).Within(new Stretch(otherStart, otherEnd)).ShouldBe(new Stretch(sharedStart, sharedEnd));

    [Theory]
    [InlineData("2026-10", "America/New_York", "2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z")]
    [InlineData("2026-11", "America/New_York", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z")]
    [InlineData("2026-03", "America/New_York", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z")]
    [InlineData("2026-10", "UTC", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")]
    [InlineData("2026-12", "Pacific/Honolulu", "2026-12-01T10:00:00Z", "2027-01-01T10:00:00Z")]
    // Midnight is skipped on the 1st of October 1989 nowhere, but on the 15th of October 2017 in Sao Paulo; here a month that starts with it.
    [InlineData("2018-04", "Asia/Beirut", "2018-03-31T21:00:00Z", "2018-04-30T21:00:00Z")]
    public void A_month_goes_from_local_midnight_to_local_midnight(string text, string zone, string start, string end)
    {
        ServiceMonth.TryParse(text, out var month).ShouldBeTrue();

        month.Bounds(TimeZoneInfo.FindSystemTimeZoneById(zone)).ShouldBe(PatientMonth.Between(start, end));
    }

    [Theory]
    // Clocks went from 00:00 to 01:00: the day begins at 01:00, which is 03:00 UTC.
    [InlineData("2017-10-15", "America/Sao_Paulo", "2017-10-15T03:00:00Z")]
    // Clocks went from 24:00 back to 23:00: the 18th begins once, at 03:00 UTC.
    [InlineData("2018-02-18", "America/Sao_Paulo", "2018-02-18T03:00:00Z")]
    // Clocks went from 01:00 back to 00:00: midnight comes twice, the day begins with the first.
    [InlineData("2023-11-05", "America/Havana", "2023-11-05T04:00:00Z")]
    public void A_day_begins_where_the_clocks_skip_or_repeat_midnight(string day, string zone, string start) =>
        ServiceMonth
            .StartOfDay(
                DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture),
                TimeZoneInfo.FindSystemTimeZoneById(zone)
            )
            .ShouldBe(PatientMonth.At(start));

    [Theory]
    [InlineData("2026-10", true)]
    [InlineData("2000-01", true)]
    [InlineData("2999-12", true)]
    [InlineData("1999-12", false)]
    [InlineData("3000-01", false)]
    [InlineData("2026-00", false)]
    [InlineData("2026-13", false)]
    [InlineData("2026-1", false)]
    [InlineData("2026/10", false)]
    [InlineData("26-10", false)]
    [InlineData("2026-10-01", false)]
    [InlineData("20a6-10", false)]
    [InlineData("2026- 1", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_month_is_written_as_year_and_month(string? text, bool good)
    {
        ServiceMonth.TryParse(text, out var month).ShouldBe(good);
        if (good)
        {
            month.ToString().ShouldBe(text);
        }
    }

    [Fact]
    public void Months_follow_each_other()
    {
        var december = new ServiceMonth(2026, 12);

        december.Next.ShouldBe(new ServiceMonth(2027, 1));
        december.Next.Previous.ShouldBe(december);
        december.LastDay.ShouldBe(new DateOnly(2026, 12, 31));
        new ServiceMonth(2024, 2).LastDay.ShouldBe(new DateOnly(2024, 2, 29));
        (december < december.Next).ShouldBeTrue();
        (december > december.Next).ShouldBeFalse();
        (december <= new ServiceMonth(2026, 12)).ShouldBeTrue();
        (december >= new ServiceMonth(2026, 12)).ShouldBeTrue();
        (december.Next <= december).ShouldBeFalse();
        (december >= december.Next).ShouldBeFalse();
        ServiceMonth
            .Of(PatientMonth.At("2026-11-01T03:30:00Z"), TimeZoneInfo.FindSystemTimeZoneById("America/New_York"))
            .ShouldBe(new ServiceMonth(2026, 10));
    }

    private static bool[] Mask(Stretch[] stretches)
    {
        var mask = new bool[Seconds];
        foreach (var one in stretches)
        {
            for (var at = one.Start; at < one.End; at++)
            {
                mask[at] = true;
            }
        }
        return mask;
    }

    private static bool[] Seconds_(Stretches set) => Mask([.. set]);
}
