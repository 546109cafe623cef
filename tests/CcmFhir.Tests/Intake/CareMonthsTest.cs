using CcmFhir.Load;
using CcmFhir.Validation;

namespace CcmFhir.Tests.Intake;

/// <summary>The bundles that the load driver sends are what figures are measured with: of the stated size, and right by US Core too.</summary>
public sealed class CareMonthsTest
{
    private static readonly string UsCore = Repository.At(
        "tests",
        "CcmFhir.Validation.Tests",
        "Data",
        "us-core-6.1.0.tgz"
    );

    [Theory]
    [InlineData(0)]
    [InlineData(5_003)]
    [InlineData(99_999)]
    public void A_bundle_of_the_load_driver_has_13600_bytes_give_or_take_2_in_100(int patient) =>
        new CareMonths().Enrolment(patient).Length.ShouldBeInRange(13_600 * 98 / 100, 13_600 * 102 / 100);

    [Fact]
    public void Bundles_of_the_load_driver_have_no_error_by_US_Core()
    {
        var profiles = ProfileSet.Load([UsCore]);
        var months = new CareMonths();
        int[] patients = [0, 1, 2, 17, 5_003, 99_999];

        var errors = patients
            .SelectMany(patient => profiles.Validate(months.Enrolment(patient)).Issues)
            .Where(issue => issue.Severity <= Severity.Error)
            .Select(issue => $"{issue.Expression} {issue.Rule}: {issue.Text}");

        errors.ShouldBeEmpty();
    }
}
